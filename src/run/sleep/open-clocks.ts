import type {OpenSidecar} from '../../dapr/sidecar/open-sidecar.ts'
import type {CallRecorder} from '../../observe/telemetry/recorder/call-recorder.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {Changes} from '../../supervisor/reload/changes.ts'
import type {RunActors} from '../run-actors.ts'
import type {RunContext} from '../run-context.ts'
import type {RunWork} from '../run-work.ts'
import {activityOf} from './activity.ts'
import {IdleClocks, type IdleClocksOptions} from './idle-clocks.ts'

/** The parts of a run that know the activity of an app. */
export interface IdleParts {
  readonly context: Pick<RunContext, 'emit' | 'lifetime' | 'reporter'>
  /** All apps of the run. */
  readonly runtimes: () => readonly AppRuntime[]
  readonly changes: Changes
  readonly recorder: CallRecorder
  readonly work: RunWork
  readonly actors: RunActors
  readonly sidecars: ReadonlyMap<AppRuntime, OpenSidecar>
}

/** `instancesOf`: the instances that sleep and wake together. */
export function openClocks(
  {context: {emit, lifetime}, runtimes, changes, recorder, work, actors, sidecars}: IdleParts,
  instancesOf: IdleClocksOptions['instancesOf']
): IdleClocks {
  return new IdleClocks({
    emit,
    over: lifetime.stopRequested,
    instancesOf,
    activityOf: runtime =>
      activityOf(runtime, {
        recorder,
        runtimes,
        isChanging: each => changes.isChanging(each),
        hasWork: ({id, name}) => (work.openWorkflows()?.heldBy(id, name, 0).length ?? 0) > 0,
        isKept: each => sidecars.get(each)?.keepsAwake() === true
      }),
    finish: runtime => [actors.present(runtime), work.present(runtime)],
    graceMs: runtime => Math.max(runtime.plan.stop.timeoutMs, actors.drainMs(runtime)),
    resume: runtime => {
      work.resume(runtime)
      actors.resume(runtime)
    }
  })
}
