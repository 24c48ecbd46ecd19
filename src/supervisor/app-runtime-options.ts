import type {KeptExit} from './crash-reporter.ts'
import type {PendingCall} from '../proxy/gateway/admission-queue.ts'
import type {Exit} from '../model/app-state.ts'
import type {AppPlan} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'
import type {SidecarPorts} from '../proxy/ports/claim.ts'
import type {Logs} from './lifecycle-log.ts'
import type {ProgramOptions} from './program.ts'

/** What an `AppRuntime` is made of. */
export interface AppRuntimeOptions extends Omit<ProgramOptions, 'lines' | 'watch' | 'moved' | 'otherMoved'> {
  readonly plan: AppPlan
  readonly ports: SidecarPorts
  readonly logs: Logs
  readonly token: string
  /** Extra text for the error of a call that timed out in the queue. */
  readonly explain: (pendingCall: PendingCall) => string
  /** Its state changed. */
  readonly moved: () => void
  /** Called when a process exited unexpectedly. Returns the number under which the exit is recorded, 0 if it is not. */
  readonly ended: (exit: Exit) => KeptExit | undefined
  readonly reporter: Reporter
  /** `--except` leaves its first process to the user; it is debugged, too. */
  readonly isExcepted?: boolean | undefined
}
