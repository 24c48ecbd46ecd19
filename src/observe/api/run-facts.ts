import type {Availability} from '../../model/availability.ts'
import type {FaultSwitch} from '../../proxy/faults/fault-switch.ts'
import type {RunLog} from '../logging/run-log.ts'
import type {AppPlan} from '../../model/plan.ts'
import type {CallRecorder} from '../telemetry/recorder/call-recorder.ts'
import type {Deaths} from '../telemetry/recorder/deaths.ts'
import type {RunControl} from '../../control/run-control.ts'
import type {Actors} from '../../work/actor/actors.ts'
import type {Reminders} from '../../work/actor/reminders.ts'
import type {Jobs} from '../../work/job/jobs.ts'
import type {Instance} from '../../work/workflow/instance.ts'
import type {WaitingTimers} from '../../work/workflow/waiting-timers.ts'
import type {Workflows} from '../../work/workflow/workflows.ts'

/** Whether an app takes calls, and what it waits for. */
export interface NotRunning {
  readonly id: string
  readonly name: string
  readonly availability: Availability
  /** Why calls to it wait, or fail; '' = they do not. */
  readonly reason: string
  /** Calls that wait for it now. */
  readonly waiting: number
}

/** What outlives a run. */
export interface KnownWork {
  readonly workflows: Workflows
  readonly jobs: Jobs
  readonly timers: WaitingTimers
  /** Loads the reminders of actors. */
  readonly reminders: () => Promise<Reminders>
}

/** The actors of a run, for who looks. */
export interface ActorFacts {
  /** Undefined: no app has hosted or called one. */
  readonly loaded: () => Actors | undefined
  /** Rejects if their file cannot be opened. */
  readonly reminders: () => Promise<Reminders>
}

/** What views of a run are made from. */
export interface RunFacts {
  readonly recorder: CallRecorder
  readonly control: RunControl
  /** Undefined until a process exits unexpectedly. */
  readonly deaths: Deaths | undefined
  readonly faults: FaultSwitch
  readonly apps: () => readonly NotRunning[]
  /** Apps of profiles that are not active. */
  readonly leftOut: () => readonly NotRunning[]
  /** Where the instance with this name listens if that is not its port; '' = nothing to tell. */
  readonly portHint: (name: string) => Promise<string>
  /** The latest lines of all apps. */
  readonly runLog: () => RunLog
  /** Additional names whose values are masked. */
  readonly masked: () => readonly string[]
  /** The workflows of the run; their file is opened by the first who asks. Rejects if it cannot be. */
  readonly workflows: () => Promise<Workflows>
  /** The same for who only looks: where there is no file none is made. */
  readonly knownWorkflows: () => Promise<Workflows>
  /** The workflows of the run, if their file is open; undefined: there are none. */
  readonly openWorkflows: () => Workflows | undefined
  /** The jobs of the run, in the file, which is opened. Rejects if it cannot be. */
  readonly jobs: () => Promise<Jobs>
  /** All that outlives the run, for who only looks. */
  readonly knownWork: () => Promise<KnownWork>
  /** Calls the listener with each instance of a workflow that changes from now on. */
  readonly onWorkflow: (listener: (workflows: Workflows, instance: Instance) => void) => void
  readonly actors: ActorFacts
  /** Plans of all apps of the run. */
  readonly plans: () => readonly AppPlan[]
}
