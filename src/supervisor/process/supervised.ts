import type {AppState, Exit, Why} from '../../model/app-state.ts'
import type {Owner} from '../../platform/port-owners.ts'
import type {Orphan} from './process-tracker.ts'
import type {ProcessTerminal} from './app-terminal.ts'

/** The process of an app: ours (`SupervisedApp`), or started elsewhere (`ExternalApp`). */
export interface Supervised {
  readonly state: AppState
  /** Settles with the state `exited`. */
  readonly ended: Promise<AppState>
  /** The last lines of its latest process, at most ten on each. */
  readonly lastLines: Readonly<Record<'stdout' | 'stderr', readonly string[]>>
  /** Line of the latest process' last output that best explains its exit; '' without one. */
  readonly bestLine: string
  /** The number of processes in a row that ran for less than 1 s. */
  readonly shortRuns: number
  /** Start and end of its latest process (`performance.now()`), and its pid; zeros before the first end. */
  readonly lived: {readonly from: number; readonly to: number; readonly pid?: number | undefined}
  /** The terminal of its current process, if it has one. */
  readonly terminal?: ProcessTerminal | undefined
  /** Settles when the first process, or the first after a sleep, was spawned, could not be spawned, or is no longer wanted. */
  start(): Promise<void>
  /** Ends the process, if there is one. The next is started only by `start`. */
  sleep?(): void
  /** Stops the app, and settles when it is completely gone. Also ends an app that was never started. */
  stop(why: Why): Promise<void>
  /** Stops without a grace period; also cuts a stop in progress short. */
  stopNow(): void
  /** Called when a connection was refused although the app is ready: it is not ready until its port accepts again. */
  recheck(): void
}

/** Events of an app other than state changes. */
export type Note =
  /** The port was in use before the app started; that listener does not make the app ready. */
  | {
      readonly type: 'port-taken'
      readonly port: number
      readonly owner: Owner | undefined
      /** Calls are sent to this port; false: it is only the port of `ready`. */
      readonly isCalled: boolean
    }
  /** The system cannot set the plan's limits: the app has none. */
  | {readonly type: 'refused'; readonly command: string; readonly why: string}
  /** The limits of the plan cannot be set here: the app has none. */
  | {readonly type: 'no-limits'; readonly why: string}
  /** The network of its container cannot be made, or has no names. */
  | {readonly type: 'no-network'; readonly why: string}
  /** Not ready within its timeout; probing continues. `tried` describes the probe. */
  | {readonly type: 'not-ready'; readonly timeoutMs: number; readonly tried: string}
  /** After `times` processes in a row of less than 1 s, the app is no longer restarted. */
  | {readonly type: 'given-up'; readonly times: number; readonly exit: Exit; readonly line: string}
  /** A process that had left the app's process group was signalled. */
  | ({readonly type: 'orphan-ended'} & Orphan)
  /** The launcher has exited and left this server, which is the app's process now. */
  | {readonly type: 'in-background'; readonly pid: number; readonly port: number}
