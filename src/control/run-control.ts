import type * as Api from '../model/api.generated.ts'
import type {TerminalSize, TerminalViewer} from '../model/terminal.ts'

/** A run and its apps, without facts about calls. */
export type RunListing = Omit<Api.Run, 'faults' | 'hasWork' | 'lastCall'>

/** How another run reaches a sidecar on behalf of its own apps. */
export type SidecarAddress = Omit<Api.LentSidecar, 'ready'>

/** A sidecar that another run may use, until it closes. */
export interface LeasedSidecar {
  readonly address: SidecarAddress
  readonly closing: AbortSignal
  /** How many instances of the app accept calls. */
  readonly ready: () => number
  /** Calls `listener` when the result of `ready` may have changed. The returned function removes the listener. */
  readonly onChange: (listener: () => void) => () => void
}

/** The result of a requested start. */
export interface StartResult {
  readonly outcome: 'started' | 'runs already' | 'failed'
  /** Why the start failed; '' otherwise. */
  readonly why: string
}

/** The result of handing an app over to a debugger. */
export interface HandedOver {
  /** Why the app was not handed over; '' otherwise. */
  readonly why: string
  /** Whether the app was handed over before. */
  readonly wasDebugged: boolean
}

export interface LogsQuery {
  /** Maximum number of lines, counted from the end. -1: all lines that are kept. */
  readonly tail: number
  /** Time of the earliest line, in ms since 1970. 0: no limit. */
  readonly since: number
  readonly isFollowed: boolean
  /** Version of a service with several; '': the main one, `*`: all. */
  readonly version: string
  /** Whether lines that are still in memory keep the colours that their app wrote. */
  readonly isColoured?: boolean
  /** Limits lines to those before this place in the log of the run. Default: all. */
  readonly before?: number
}

/** The terminal of an app, whichever process of it runs. */
export interface SharedTerminal {
  /** Shows the latest screen and all further output to a viewer. The returned function detaches the viewer. */
  readonly attach: (viewer: TerminalViewer) => () => void
  /**
   * Types bytes. Resolves with '' when the terminal has taken them or `gone` is aborted, or with the reason why no process takes input.
   * Waits for a process that is being started.
   */
  readonly type: (bytes: Buffer, gone: AbortSignal) => Promise<string>
  readonly resize: (size: TerminalSize) => void
}

/** Operations of a run, by its API or in its own process. */
export interface RunControl {
  readonly list: () => RunListing
  /** Ends the whole run. */
  readonly stop: () => void
  /** Stops one app and its sidecar; false if the run has no such app. */
  readonly stopApp: (id: string) => Promise<boolean>
  /** Restarts one app: '' when its process is running, else the reason; undefined if the run has no such app. */
  readonly restartApp: (id: string) => Promise<string | undefined>
  /** Starts an app that was stopped, has ended, or is in a debugger; undefined if the run has no such app. */
  readonly startApp: (id: string) => Promise<StartResult | undefined>
  /** Ends an app's process so that the user starts it in a debugger; its sidecar stays. Resolves with undefined for an unknown app. */
  readonly debugApp: (id: string) => Promise<HandedOver | undefined>
  /** How an app is started (`version` '': the main one); undefined if the run has no such app, or it was stopped. */
  readonly launch: (id: string, version: string) => Promise<Api.Launch | undefined>
  /** Yields the log of an app as latin1 text, until the log ends or `gone` is aborted; undefined if the run has no such app. */
  readonly logs: (id: string, asked: LogsQuery, gone: AbortSignal) => AsyncIterable<string> | undefined
  /**
   * Yields latin1 lines of the apps, of all if no id is given, in order of time. Each begins with its time (ms since 1970, 0: unknown),
   * stream (`-`: unknown) and app (percent-encoded). Undefined if the run lacks one of the apps.
   */
  readonly runLogs: (ids: readonly string[], asked: LogsQuery, gone: AbortSignal) => AsyncIterable<string> | undefined
  /**
   * Resolves with the terminal of an app (`tty: true`), or with the reason why it has none; undefined if the run has no such app.
   * `version`: '': the main one. `starts`: starts a sleeping app, and waits for it until `gone` is aborted.
   */
  readonly terminal: (
    name: {readonly id: string; readonly version: string},
    starts: boolean,
    gone: AbortSignal
  ) => Promise<SharedTerminal | string | undefined>
  readonly leaseSidecar: (id: string) => LeasedSidecar | undefined
  /** The Daeploy services of the run, in template order. */
  readonly services: () => readonly Api.Service[]
  /** Makes a version the main one: '' on success, else the reason. */
  readonly assign: (name: string, version: string) => string
  /** Stops one version and removes it from the run. Resolves with '' when it is gone, else with the reason. */
  readonly remove: (name: string, version: string) => Promise<string>
  /** Frees the port of the built-in Redis for the rest of the run; false if the run does not listen there. */
  readonly releaseRedis: (port: number) => Promise<boolean>
  /** Lets a copy answer calls to the host names and ports of the main copy. Rejects with a UserError. */
  readonly show: (asked: Api.ShowRequest) => Promise<Api.Shown>
  /** Opens the listener of the page, if it is not open yet; `port` 0: one of its choice. Rejects with a UserError. */
  readonly dashboard: (port: number) => Promise<Api.Dashboard>
  /** Notifications of services, by an opaque number. */
  readonly notifications: () => Api.Notifications
}
