import type {KeptExit} from './crash-reporter.ts'
import type {PendingCall} from '../proxy/gateway/admission-queue.ts'
import type {Exit} from '../model/app-state.ts'
import type {AppPlan} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'
import type {SidecarPorts} from '../proxy/ports/claim.ts'
import type {Logs} from './lifecycle-log.ts'
import type {AppSleep, Sleeper} from './app-sleep.ts'
import type {ProgramOptions} from './program.ts'
import type {Starter} from './owner/next-step.ts'

/** Creates the sleep of an app. `starting`: called when the app is woken, before its dependencies are met. */
export type OpenSleep = (runtime: Sleeper & {readonly id: string}, starting: () => void) => AppSleep

/** The options of an `AppRuntime` that are the same for all its openings. */
export interface AppRuntimeOptions extends Omit<
  ProgramOptions,
  'lines' | 'plan' | 'moved' | 'otherMoved' | 'environment' | 'starter'
> {
  readonly token: string
  /** Returns extra text for the error of a call that timed out in the queue. */
  readonly explain: (pendingCall: PendingCall) => string
  /** Called when the state of the app has changed. */
  readonly moved: () => void
  /** Called when a process exited unexpectedly. `hints`: reports advice. Returns the recorded exit; undefined: not recorded. */
  readonly ended: (exit: Exit, hints: Reporter) => KeptExit | undefined
  readonly reporter: Reporter
}

export interface OpeningOptions extends Pick<ProgramOptions, 'environment'> {
  readonly plan: AppPlan
  readonly ports: SidecarPorts
  readonly logs: Logs
  /** Creates the sleep of the app; omitted: the app never sleeps. */
  readonly openSleep?: OpenSleep | undefined
  /** Starter of the first process. */
  readonly person: Starter
}
