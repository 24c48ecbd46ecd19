/** One app of a run, as `list` shows it. Numbers are 0 and texts '' where there is nothing. */
export interface ListedApp {
  readonly appId: string
  readonly httpPort: number
  readonly grpcPort: number
  readonly appPort: number
  readonly command: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly appPid: number
  readonly maxRequestBodySize: number
  readonly httpReadBufferSize: number
  readonly appLogPath: string
  readonly daprdLogPath: string
  /** Daeploy's version of a service, `0.0.0` for others, and whether it answers for its id. */
  readonly version: string
  readonly isMain: boolean
  /**
   * The phase of its process (`idle`, `starting`, `running`, `stopping`, `backoff`, `exited`), or what somebody has made of
   * it: `stopped` (its sidecar is closed), `debugging` (its process is somebody else's).
   */
  readonly state: string
  /** It takes calls; one without a port runs. */
  readonly isReady: boolean
  /** How its latest process ended: its code, 128 and the signal's number as shells have it; -1 where none has ended. */
  readonly exitCode: number
  /** The same in words: `exited with code 3`. */
  readonly exit: string
  /** How often a process of it was started after the first one. */
  readonly restarts: number
  /** When its process was started, in milliseconds since 1970; 0: there is none. */
  readonly startedAt: number
  /** In backoff: when the next process is started, in milliseconds since 1970; 0: not, or at the next change of its files. */
  readonly restartsAt: number
  /** Ids of the apps that it waits for before its first start. */
  readonly waitsFor: readonly string[]
}

/** What a run tells about itself. */
export interface RunListing {
  /** Version of the program, so that a newer one knows what an older one lacks. */
  readonly version: string
  /** 128 random bits, hex: the mark of everything that belongs to the run. */
  readonly run: string
  readonly pid: number
  readonly startedAt: number
  /** Identity of the template, '' for a single app. */
  readonly templateFile: string
  readonly templateName: string
  readonly apps: readonly ListedApp[]
}

/** A sidecar as it is told to another run, whose apps' calls may come through it. */
export interface SidecarAddress {
  readonly run: string
  readonly startedAt: number
  /** Where it listens, in the order to try. */
  readonly hosts: readonly string[]
  readonly port: number
  /** Said at the sidecar, it lets a run speak for its apps (`sidecar/http/delegated-caller.ts`). */
  readonly key: string
}

/** A sidecar that is open, and when it closes. */
export interface LeasedSidecar {
  readonly told: SidecarAddress
  readonly closing: AbortSignal
}

export interface LogsQuery {
  /** The last lines only; -1: all that is kept. */
  readonly tail: number
  /** ms since 1970, 0: whenever it came. */
  readonly since: number
  readonly isFollowed: boolean
  /** Of a service with several versions; '': the main one. */
  readonly version: string
}

/** What a run does when it is asked. */
export interface Handlers {
  readonly list: () => RunListing
  /** Ends the whole run. */
  readonly stop: () => void
  /** Ends one app and its sidecar; false where the run has no such app. */
  readonly stopApp: (id: string) => Promise<boolean>
  /** Starts one app anew: '' when its process runs, else why not; undefined where the run has no such app. */
  readonly restartApp: (id: string) => Promise<string | undefined>
  /** Latin1 text, ended with the app's log or by `gone`; undefined where the run has no such app. */
  readonly logs: (id: string, asked: LogsQuery, gone: AbortSignal) => AsyncIterable<string> | undefined
  /**
   * Several apps of the run, all where no id is given: latin1 lines in their order, each behind its time (ms since 1970, 0:
   * not known), stream (`-`: not known) and app (percent-encoded). Undefined where the run lacks one of them.
   */
  readonly runLogs: (ids: readonly string[], asked: LogsQuery, gone: AbortSignal) => AsyncIterable<string> | undefined
  readonly leaseSidecar: (id: string) => LeasedSidecar | undefined
  /** The Daeploy services of the run, in its order. */
  readonly services: () => readonly ListedService[]
  /** Makes a version main: '' when it is, else why not. */
  readonly assign: (name: string, version: string) => string
  /** Ends one version and takes it out of the run: '' when nothing of it is left, else why not. */
  readonly remove: (name: string, version: string) => Promise<string>
  /** What services have notified, by an opaque number. */
  readonly notifications: () => Readonly<Record<string, ListedNotification>>
}

export interface ListedService {
  readonly name: string
  readonly version: string
  readonly isMain: boolean
  /** Docker's word for its state. */
  readonly status: string
  /** Milliseconds since 1970; 0: never. */
  readonly startedAt: number
  readonly finishedAt: number
}

/** A notification in the words of Daeploy's manager; what it has beyond these goes with it. */
export interface ListedNotification {
  readonly service_name: string
  readonly service_version: string
  readonly msg: string
  readonly severity: number
  readonly timestamp: string
  readonly counter: number
}
