import type {AppState, Exit, Why} from '../../model/app-state.ts'
import type {Owner} from '../../platform/port-owners.ts'
import type {Orphan} from './process-tracker.ts'
import type {ProcessTerminal} from './app-terminal.ts'

/** The processes of an app that follow each other: started by Pillion (`SupervisedApp`), or elsewhere (`ExternalApp`). */
export interface Supervised {
  readonly state: AppState
  /** Resolves with the state `exited`, when no process follows. */
  readonly ended: Promise<AppState>
  /** Last lines of the latest process, at most ten of each stream. */
  readonly lastLines: Readonly<Record<'stdout' | 'stderr', readonly string[]>>
  /** Line of the latest process' last output that explains its exit best; '': none. */
  readonly bestLine: string
  /** Number of processes in a row that ran for less than 1 s. */
  readonly shortRuns: number
  /** Start and end of the latest ended process (`performance.now()`), and its pid; 0: no process has ended. */
  readonly lived: {readonly from: number; readonly to: number; readonly pid?: number | undefined}
  /** Terminal of the current process; undefined: none. */
  readonly terminal?: ProcessTerminal | undefined
  /** Starts the app, or wakes it. Settles when a process was spawned, could not be spawned, or is no longer wanted. */
  start(): Promise<void>
  /** Puts the app to sleep: ends the process, and starts the next one only by `start`. Omitted: the app cannot sleep. */
  sleep?(): void
  /** Stops the app, also if it was never started. Settles when all its processes are gone. */
  stop(why: Why): Promise<void>
  /** Stops without a grace period, and ends the grace period of a stop in progress. */
  stopNow(): void
  /** Called when a ready app has refused a connection. Makes the app not ready until its port accepts connections again. */
  recheck(): void
}

/** Events of an app besides changes of its state, which are reported as warnings. */
export type Note =
  /** The port was in use before the app started. That listener does not make the app ready. */
  | {
      readonly type: 'port-taken'
      readonly port: number
      readonly owner: Owner | undefined
      /** Whether calls are sent to this port; false: only `ready` uses it. */
      readonly isCalled: boolean
    }
  /** The command of `ready` was not run, since it would use a server of another run. */
  | {readonly type: 'refused'; readonly command: string; readonly why: string}
  /** The system cannot set the limits of the plan, so that the app has none. */
  | {readonly type: 'no-limits'; readonly why: string}
  /** The network of the app's container cannot be created, or has no name server. */
  | {readonly type: 'no-network'; readonly why: string}
  /** The app is not ready within its timeout. Probing continues. `tried`: description of the probe. */
  | {readonly type: 'not-ready'; readonly timeoutMs: number; readonly tried: string}
  /** The app is no longer restarted, after `times` processes in a row that ran for less than 1 s. */
  | {readonly type: 'given-up'; readonly times: number; readonly exit: Exit; readonly line: string}
  /** A process that had left the app's process group got a signal. */
  | ({readonly type: 'orphan-ended'} & Orphan)
  /** The launcher has exited and left this server in the background, which is the app's process now. */
  | {readonly type: 'in-background'; readonly pid: number; readonly port: number}
