import type {Availability} from '../../model/availability.ts'
import type {FaultSwitch} from '../../proxy/faults/faults.ts'
import type {RunLog} from '../logging/run-log.ts'
import type {AppPlan} from '../../model/plan.ts'
import type {CallRecorder} from '../telemetry/recorder/call-recorder.ts'
import type {Deaths} from '../telemetry/recorder/deaths.ts'
import type {RunControl} from '../../control/run-control.ts'
import type {Actors} from '../../work/actor/actors.ts'
import type {Reminders} from '../../work/actor/reminders.ts'
import type {Jobs} from '../../work/job/jobs.ts'
import type {Instance} from '../../work/workflow/instance.ts'
import type {Workflows} from '../../work/workflow/workflows.ts'

/** The availability of an app, and the reason if it accepts no calls. */
export interface NotRunning {
  readonly id: string
  readonly version: string
  readonly name: string
  readonly availability: Availability
  /** Why calls to the app wait or fail; '': they do not. */
  readonly reason: string
  /** Number of calls that wait for the app now. */
  readonly waiting: number
}

export interface KnownWork {
  readonly workflows: Workflows
  readonly jobs: Jobs
  readonly reminders: () => Promise<Reminders>
}

/** Access of views to workflows, jobs and reminders. The promises reject if the file cannot be opened. */
export interface WorkAccess {
  /** Opens the file, or creates it. */
  readonly workflows: () => Promise<Workflows>
  /** Opens the file, or creates it. */
  readonly jobs: () => Promise<Jobs>
  /** Opens the lasting work for reading only. Creates no file. */
  known(): Promise<KnownWork>
  /** Workflows of the open file. Undefined while it is not open. */
  readonly openWorkflows: () => Workflows | undefined
  /** Calls the listener with each instance of a workflow that changes from now on. */
  readonly onWorkflow: (listener: (workflows: Workflows, instance: Instance) => void) => void
}

export interface ActorFacts {
  /** Actors. Undefined until an app hosts or calls one. */
  readonly loaded: () => Actors | undefined
  /** Rejects if their file cannot be opened. */
  readonly reminders: () => Promise<Reminders>
  /** The state of an actor by its keys, as the sidecar of an instance of an app reads it. Rejects with the reason. */
  readonly stateOf: (
    instance: string,
    ...of: readonly [type: string, id: string, limit: number]
  ) => Promise<readonly (readonly [key: string, data: Buffer])[]>
}

/** The parts of a run from which views are made. */
export interface RunFacts {
  readonly recorder: CallRecorder
  readonly control: RunControl
  /** Undefined until a process exits unexpectedly. */
  readonly deaths: Deaths | undefined
  readonly faults: FaultSwitch
  readonly apps: () => readonly NotRunning[]
  /** Returns the apps of profiles that are not active. */
  readonly leftOut: () => readonly NotRunning[]
  /** Explains where an instance listens if not at its port; '': it does. `home`: its name among the instances of all versions. */
  readonly portHint: (home: string) => Promise<string>
  /** The latest lines of all apps. */
  readonly runLog: () => RunLog
  /** Additional names whose values are masked. */
  readonly masked: () => readonly string[]
  readonly work: WorkAccess
  readonly actors: ActorFacts
  readonly plans: () => readonly AppPlan[]
}
