import type {AppState, Exit, Why} from '../../model/app-state.ts'
import type {Owner} from '../../platform/listeners.ts'
import type {Orphan} from './process-tracker.ts'

/** An app as its host sees it: a program that we run (`SupervisedApp`), or one that somebody else runs (`Listener`). */
export interface Supervised {
  readonly state: AppState
  /** Settles with the state `exited`. */
  readonly ended: Promise<AppState>
  /** The last lines on stderr of its latest process, at most ten. */
  readonly lastLines: readonly string[]
  /** The one of the last words of its latest process on stderr that says most about its end; '' for none. */
  readonly bestLine: string
  /** Processes under 1 s in a row, up to now. */
  readonly shortRuns: number
  /** When its latest process began and ended (`performance.now()`); zeros before the first end. */
  readonly lived: {readonly from: number; readonly to: number}
  /** Settles when the first process was spawned, could not be, or is wanted no more. */
  start(): Promise<void>
  /** Asks for a new process at once. Askings that come close together are one; nothing happens before the start and after the end. */
  restart(why: Why): void
  /** Asks for the end; settles when nothing of it is left. An app that was never started ends, too. */
  stop(why: Why): Promise<void>
  /** The same without a grace, also for a stop that is under way. */
  stopNow(): void
  /** A call was refused although the app is ready: it is not ready until its port answers again. */
  recheck(): void
}

/** Noteworthy events of an app besides its state changes. */
export type Note =
  /** The port was taken before the app was started; that listener does not make it ready. */
  | {readonly type: 'port-taken'; readonly port: number; readonly owner: Owner | undefined}
  /** Not ready within its timeout; it is waited for on. `tried` says for what. */
  | {readonly type: 'not-ready'; readonly timeoutMs: number; readonly tried: string}
  /** So many processes under 1 s in a row: it is not started again. */
  | {readonly type: 'given-up'; readonly markers: number; readonly exit: Exit; readonly line: string}
  /** A process that had left the app's group was asked to end. */
  | ({readonly type: 'orphan-ended'} & Orphan)
