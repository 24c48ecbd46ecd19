import type {OpenSidecar} from '../../dapr/sidecar/open-sidecar.ts'
import type {CallRecorder} from '../../observe/telemetry/recorder/call-recorder.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {AppOwner} from '../../supervisor/owner/owner.ts'
import type {StartOrder} from '../../supervisor/order/start-order.ts'
import type {RunContext} from '../run-context.ts'
import type {RunWork} from '../run-work.ts'

/** The activity of an app: the app was idle between two checks without work under way and with equal counts. */
export interface Activity {
  readonly isBusy: () => boolean
  /** Returns a number that grows with each call and other event, even if it has ended already. */
  readonly count: () => number
}

/** The parts of a run that its sleeping apps need. */
export interface SleepParts {
  readonly context: Pick<RunContext, 'emit' | 'lifetime' | 'reporter'>
  readonly runtimes: () => readonly AppRuntime[]
  readonly ownerOf: (runtime: AppRuntime) => AppOwner
  /** Whether a save or a request for an app is being acted on, or is about to be. */
  readonly isChanging: (runtime: AppRuntime) => boolean
  readonly starts: StartOrder
  readonly recorder: CallRecorder
  readonly work: RunWork
  readonly sidecars: ReadonlyMap<AppRuntime, OpenSidecar>
}

/** Returns the activity of an app: calls from and to it, its use of components, its work, and attached terminals. */
export function activityOf(
  runtime: AppRuntime,
  {recorder, runtimes, isChanging, work, sidecars}: Omit<SleepParts, 'context' | 'starts' | 'ownerOf'>
): Activity {
  const {id, home, queue, sleep} = runtime
  const isCalling = (): boolean =>
    recorder.open().some(number => {
      const edge = recorder.edges.at(recorder.line(number)?.edge ?? -1)
      return edge?.caller === id || edge?.callee === id
    }) ||
    // also counts calls that are not recorded
    runtimes().some(({queue: of}) => [...of.inFlight.keys(), ...of.held].some(({caller}) => caller === id))
  /** Whether an app that depends on this one is awake, or waits for its dependencies, and so needs it. */
  const isDependedOn = (): boolean =>
    runtimes().some(
      ({plan: {dependsOn}, obstacle, isGivenUp, isStopped, hasEnded, sleep: {isAsleep}}) =>
        !isStopped &&
        (obstacle !== '' ? !isGivenUp : !isAsleep && !hasEnded) &&
        dependsOn.some(needed => needed.id === id && (needed.until !== 'completed' || obstacle !== ''))
    )
  return {
    isBusy: () => {
      const {state} = runtime.app
      // a sleeping instance must not keep a running instance awake
      if (sleep.isAsleep) return sleep.isWaking
      return (
        state.phase !== 'running' ||
        !state.ready ||
        queue.state !== 'open' ||
        queue.waiting > 0 ||
        queue.inFlight.size > 0 ||
        runtime.isDebugged ||
        runtime.terminal()?.isAttached === true ||
        isChanging(runtime) ||
        (work.openWorkflows()?.heldBy(id, home, 0).length ?? 0) > 0 ||
        // its process reads its own streams, or its triggers are unknown yet
        sidecars.get(runtime)?.keepsAwake() === true ||
        isCalling() ||
        isDependedOn()
      )
    },
    count: () => queue.admitted + sleep.works + callsOf(id, recorder)
  }
}

/** Returns a number that grows with each finished call of an app, and with each of its uses of components. */
function callsOf(id: string, {edges, uses}: CallRecorder): number {
  let count = uses.countOf(id)
  for (const {caller, callee, calls} of edges.all) if (caller === id || callee === id) count += calls
  return count
}
