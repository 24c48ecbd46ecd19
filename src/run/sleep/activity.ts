import type {CallRecorder} from '../../observe/telemetry/recorder/call-recorder.ts'
import {USES} from '../../observe/telemetry/recorder/component-uses.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {AppSleep} from '../../supervisor/app-sleep.ts'

/** What an app does: it is idle while nothing is under way and the count stays the same. */
export interface Activity {
  readonly isBusy: () => boolean
  /** Grows whenever something has happened, also if it is over already. */
  readonly count: () => number
}

export interface ActivityOptions {
  readonly recorder: CallRecorder
  readonly runtimes: () => readonly AppRuntime[]
  /** A save, an edit or a request is being acted on. */
  readonly isChanging: (runtime: AppRuntime) => boolean
  /** Whether its workers have turns or activities of workflows. */
  readonly hasWork: (runtime: AppRuntime) => boolean
  /** Whether it reads over streams that it has opened, which another process would not read, or was not asked yet what starts it. */
  readonly isKept: (runtime: AppRuntime) => boolean
}

/** Calls from and to the app, what it does with components, its work, who is attached to it. */
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
  /** What waits for it and for others finds it there once they are. */
  const isAwaited = (): boolean =>
    runtimes().some(
      ({plan: {dependsOn}, obstacle, isGivenUp, app: {state}}) =>
        obstacle !== '' && !isGivenUp && state.phase !== 'exited' && dependsOn.some(needed => needed.id === id)
    )
  return {
    isBusy: () => {
      const {state} = runtime.app
      // another instance of it goes on: it does not keep that awake
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

/** Calls and uses of components of an app that are over. */
function callsOf(id: string, {edges, uses}: CallRecorder): number {
  let count = 0
  for (const {caller, callee, calls} of edges.all) if (caller === id || callee === id) count += calls
  for (let at = Math.max(0, uses.count - USES); at < uses.count; at++)
    if (uses.ways[uses.columns?.ways[at % USES] ?? -1]?.app === id) count += at
  return count
}
