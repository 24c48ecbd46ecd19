import type {CallRecorder} from '../../observe/telemetry/recorder/call-recorder.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {AppSleep} from '../../supervisor/app-sleep.ts'

/** The activity of an app: it is idle while nothing is under way and the count stays the same. */
export interface Activity {
  readonly isBusy: () => boolean
  /** Grows whenever something has happened, also if that is over already. */
  readonly count: () => number
}

export interface ActivityOptions {
  readonly recorder: CallRecorder
  readonly runtimes: () => readonly AppRuntime[]
  /** Whether a save, an edit or a request is being acted on. */
  readonly isChanging: (runtime: AppRuntime) => boolean
  /** Whether its workers have turns or activities of workflows. */
  readonly hasWork: (runtime: AppRuntime) => boolean
  /** Whether the app reads from streams that it has opened itself, which only this process would read, or whether its triggers are not known yet. */
  readonly isKept: (runtime: AppRuntime) => boolean
}

/** The activity of an app: calls from and to it, its use of components, its work, and who is attached to it. */
export function activityOf(runtime: AppRuntime, options: ActivityOptions): Activity {
  const {recorder, runtimes, isChanging, hasWork, isKept} = options
  const {id, queue, sleep} = runtime
  const isCalling = (): boolean =>
    recorder.open().some(number => {
      const edge = recorder.edges.at(recorder.line(number)?.edge ?? -1)
      return edge?.caller === id || edge?.callee === id
    }) ||
    // calls that are not recorded
    runtimes().some(({queue: of}) => [...of.inFlight.keys(), ...of.held].some(({caller}) => caller === id))
  /** Whether an app that depends on this one still waits, for this one or for others: it must find this one running. */
  const isAwaited = (): boolean =>
    runtimes().some(
      ({plan: {dependsOn}, obstacle, isGivenUp, app: {state}}) =>
        obstacle !== '' && !isGivenUp && state.phase !== 'exited' && dependsOn.some(needed => needed.id === id)
    )
  return {
    isBusy: () => {
      const {state} = runtime.app
      // another instance of the app still runs: one that is asleep does not keep that awake
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
        hasWork(runtime) ||
        isKept(runtime) ||
        isCalling() ||
        isAwaited()
      )
    },
    count: () => queue.admitted + (sleep instanceof AppSleep ? sleep.works : 0) + callsOf(id, recorder)
  }
}

/** A figure that changes with each finished call of an app, and with each of its uses of components. */
function callsOf(id: string, {edges, uses}: CallRecorder): number {
  let count = uses.countOf(id)
  for (const {caller, callee, calls} of edges.all) if (caller === id || callee === id) count += calls
  return count
}
