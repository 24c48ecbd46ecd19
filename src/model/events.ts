import type {Exit} from './app-state.ts'
import type {WarningCode} from './reporter.ts'

/**
 * Output of an app, as it goes to files and consoles: whole lines, each ended by a newline, without `\r` before it.
 * The text is latin1: one character stands for one byte of whatever encoding the app writes.
 * A line longer than 64 KiB comes in pieces; all but its last piece lack the newline.
 * `status` lines are ours, about the app; they carry no prefix.
 * The output of a single app comes as it was written, in pieces of any length.
 */
export interface Lines {
  readonly app: string
  readonly stream: 'stdout' | 'stderr' | 'status'
  readonly text: string
}

/** Takes lines and never throws. A promise asks the writer to wait until it settles; undefined: go on. */
export type Sink = (lines: Lines) => Promise<void> | undefined

/** What a run tells the terminal. */
export type Event =
  /** The sidecars of an app answer; its program is not started yet. */
  | {readonly type: 'sidecar-opened'; readonly app: SidecarInfo}
  /** The program runs, or could not be started. */
  | {readonly type: 'app-started'; readonly app: StartedApp}
  /** The program ended and nobody had asked for it. */
  | {readonly type: 'app-ended'; readonly id: string; readonly exit: Exit}
  /** An app was exchanged for a new life of it, and takes calls again. */
  | ({readonly type: 'reloaded'} & Reloaded)
  /** The end was asked for: by a signal, by `stop`, or over a sidecar. */
  | {readonly type: 'stopping'}
  /** The manager of Daeploy services answers at this address; after the start lines of the last app. */
  | {readonly type: 'manager-opened'; readonly url: string}
  /** A service has notified, and no log of an app tells it. */
  | {readonly type: 'notified'; readonly text: string}
  /** Something that the user should know; never before the start lines of the last app. */
  | {readonly type: 'warned'; readonly code: WarningCode; readonly text: string}

export interface Reloaded {
  readonly id: string
  /** From the change, or the asking, until it took calls again. */
  readonly tookMs: number
  /** How many calls waited meanwhile, and how long the one that waited longest. */
  readonly held: number
  readonly longestMs: number
  /** Calls that were cut, or waited in vain. */
  readonly lost: number
}

export interface SidecarInfo {
  readonly id: string
  readonly httpPort: number
  readonly grpcPort: number
  /** Where the app listens; 0 = nowhere. */
  readonly appPort: number
  /** Empty: a sidecar alone. */
  readonly command: readonly string[]
}

export interface StartedApp extends SidecarInfo {
  /** 0: the program could not be started, or there is none. */
  readonly pid: number
  readonly logFolder: string
  /** The template as the user named it. */
  readonly templateShownAs: string
}

/** Tells what happened; never throws, never waits. */
export type Emit = (event: Event) => void
