import type {Exit} from './app-state.ts'
import type {FaultChange} from './fault.ts'
import type {WarningCode} from './reporter.ts'
import type {App} from './api.generated.ts'

/**
 * Output of an app, as it is written to files and consoles: whole lines, each terminated by a newline, without `\r` before it.
 * The text is latin1: one character is one byte of whatever encoding the app uses.
 * A line longer than 64 KiB arrives in pieces; all but the last piece lack the newline.
 * `status` lines are Pillion's own lines about the app; they have no prefix.
 * The output of a single app is passed on as it was written, in pieces of any length.
 */
export interface Lines {
  readonly app: string
  readonly stream: 'stdout' | 'stderr' | 'status'
  readonly text: string
}

/** Takes lines and never throws. If it returns a promise, the writer must wait until that settles. */
export type Sink = (lines: Lines) => Promise<void> | undefined

/** Events that a run reports to the terminal. */
export type RunEvent =
  /** The sidecar of an app accepts calls; the app's process has not been started yet. */
  | {readonly type: 'sidecar-opened'; readonly app: SidecarInfo}
  /** The process is running, or could not be started. */
  | {readonly type: 'app-started'; readonly app: StartedApp}
  /** The process exited without being asked to. */
  | {readonly type: 'app-ended'; readonly id: string; readonly exit: Exit}
  /** An app has lost its process; its next call starts one. `idleMs`: how long it was idle; 0: the run has just begun. */
  | {readonly type: 'app-asleep'; readonly app: SidecarInfo; readonly name: string; readonly idleMs: number}
  /** A sleeping app accepts calls again. `cause`: the reason to start it. */
  | {
      readonly type: 'app-woken'
      readonly app: string
      readonly id: string
      readonly cause: string
      readonly tookMs: number
    }
  /** The state of an app has changed. */
  | {readonly type: 'app-moved'; readonly app: () => AppFacts}
  /** A new process has replaced the app's previous one and accepts calls. `version`: other versions have the same id. */
  | ({readonly type: 'reloaded'; readonly version: string} & Reloaded)
  /** An edit of the template is applied. The text names the changes for each app. */
  | {readonly type: 'template-edited'; readonly text: string}
  /** The run is ending: by a signal, by `stop`, or by a request to a sidecar. */
  | {readonly type: 'stopping'}
  /** The manager of Daeploy services listens at this address; reported after the start lines of the last app. */
  | {readonly type: 'manager-opened'; readonly url: string}
  /** A service sent a notification that is not written to the log of any app. */
  | {readonly type: 'notified'; readonly text: string}
  /** A policy has decided about a call of an app whose `logLevel` is debug. */
  | {readonly type: 'policy-decided'; readonly text: string}
  /** A fault is on or off, or has killed an app. */
  | ({readonly type: 'fault-changed'} & FaultChange)
  /** The results of calls that were sent again after a save. */
  | {readonly type: 'replayed'; readonly text: string}
  /** Information, never before the start lines of the last app. */
  | {readonly type: 'info'; readonly text: string}
  /** A warning, never before the start lines of the last app. */
  | {readonly type: 'warned'; readonly code: WarningCode; readonly text: string}

/** An event from before the first client of the run, kept to show it the past. `at`: in ms since 1970. */
export type EarlyEvent =
  | {readonly at: number; readonly type: 'app'; readonly app: AppFacts}
  | {readonly at: number; readonly type: 'event'; readonly event: RunEvent}

export interface Reloaded {
  readonly id: string
  /** Number of the reload of the app. A waiting call names its reload by it. */
  readonly number: number
  /** The saved files, relative to the folder of the app; empty for a requested reload. */
  readonly files: readonly string[]
  /** Time from the change, or the request, until the app accepted calls again. */
  readonly tookMs: number
  /** How many calls were queued in the meantime, and how long the longest of them waited. */
  readonly held: number
  readonly longestMs: number
  /** Calls that were interrupted, or timed out in the queue. */
  readonly lost: number
}

export interface SidecarInfo {
  readonly id: string
  readonly httpPort: number
  readonly grpcPort: number
  /** The port at which the app listens; 0: none. */
  readonly appPort: number
  /** Empty: a sidecar without an app process. */
  readonly command: readonly string[]
}

export interface StartedApp extends SidecarInfo {
  /** Pid; 0 if the process could not be started, or there is none. */
  readonly pid: number
  readonly logFolder: string
  /** The template as the user named it. */
  readonly templateShownAs: string
}

/** Reports an event; never throws, never waits. */
export type Emit = (event: RunEvent) => void

/** An app as its supervisor lists it, without facts of the whole run. */
export type AppFacts = Omit<App, 'isMain' | 'circuitBreakers' | 'recent' | 'waitingWork' | 'waitingEvents'>
