import type * as Api from '../model/api.generated.ts'
import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Availability} from '../model/availability.ts'

/** One app of a run, as `list` shows it. Missing numbers are 0, missing texts ''. */
export interface ListedApp {
  readonly appId: string
  readonly httpPort: number
  readonly grpcPort: number
  readonly appPort: number
  /** `http`, `https`, `h2c`, `grpc` or `grpcs`. */
  readonly appProtocol: string
  readonly command: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly appPid: number
  readonly maxRequestBodySize: number
  readonly httpReadBufferSize: number
  readonly appLogPath: string
  readonly daprdLogPath: string
  /** Daeploy's version of a service, `0.0.0` for others, and whether it is the main version of its id. */
  readonly version: string
  readonly isMain: boolean
  /** Which one of the apps of its id and version, from 1. */
  readonly instance: number
  /**
   * The phase of its process (`idle`, `starting`, `running`, `stopping`, `backoff`, `exited`), or `stopped` (its sidecar is
   * closed) or `debugging` (another program runs its process).
   */
  readonly state: Exclude<Api.App['state'], 'removed'>
  /** It accepts calls, or runs if it has no port. */
  readonly isReady: boolean
  /** Whether it can be used: what all views mean by "ready". */
  readonly availability: Availability
  /** How its latest process ended: the exit code, or 128 + signal number as in shells; -1: none has ended. */
  readonly exitCode: number
  /** The same as text: `exited with code 3`. */
  readonly exit: string
  /** How often its process was restarted. */
  readonly restarts: number
  /** When its process was started, in ms since 1970; 0: there is none. */
  readonly startedAt: number
  /** In backoff: when the next process starts, in ms since 1970; 0: never, or at the next change of its files. */
  readonly restartsAt: number
  /** Ids of the apps that must come first (`dependsOn`). */
  readonly waitsFor: readonly string[]
  /** Circuit breakers around its calls that have been used: `<callee>:<method>`, and `closed`, `half-open` or `open`. */
  readonly circuitBreakers: Api.CircuitBreakers
}

/** The state of a run, as its control socket sends it. */
export interface RunListing {
  /** Version of the program, so that a newer one knows what an older one lacks. */
  readonly version: string
  /** 128 random bits, hex: the marker of every process and folder of the run. */
  readonly run: string
  readonly pid: number
  readonly startedAt: number
  /** Absolute path of the template, '' for a single app. */
  readonly templateFile: string
  readonly templateName: string
  /** Where it was started; '' in the listing of an older run. */
  readonly folder: string
  /** Edits of the template change the run (`--watch`). */
  readonly isTemplateFollowed: boolean
  readonly apps: readonly ListedApp[]
}

/** How another run reaches a sidecar on behalf of its own apps. */
export interface SidecarAddress {
  readonly run: string
  readonly startedAt: number
  /** Addresses where it listens, in the order to try. */
  readonly hosts: readonly string[]
  readonly port: number
  /** The port of its gRPC API. */
  readonly grpcPort: number
  /** With this key a run may call on behalf of its apps (`sidecar/http/delegated-caller.ts`). */
  readonly key: string
}

/** A sidecar that another run may use, until it closes. */
export interface LeasedSidecar {
  readonly address: SidecarAddress
  readonly closing: AbortSignal
  /** How many instances of the app accept calls. */
  readonly ready: () => number
  /** Calls `listener` when that may have changed; the result ends it. */
  readonly onChange: (listener: () => void) => () => void
}

/** How a process of an app would be started by hand. */
export interface Launch {
  readonly appId: string
  readonly folder: string
  /** Empty: it is not started by the run. */
  readonly command: readonly string[]
  /** Where it is to listen; 0 = nowhere. */
  readonly appPort: number
  /** The whole environment, without the marks of the run: what carries them is ended with it. */
  readonly environment: Readonly<Record<string, string>>
  /** Names of what differs there from the shell that the run was started in. */
  readonly added: readonly string[]
}

/** The result of a requested start. */
export interface Start {
  readonly outcome: 'started' | 'runs already' | 'failed'
  /** Why it failed, '' where it did not. */
  readonly why: string
}

/** The result of handing an app over to a debugger. */
export interface HandedOver {
  /** Why it was not, '' where it was. */
  readonly why: string
  /** It had been before. */
  readonly wasDebugged: boolean
}

/** Where the page of a run is served, on loopback. */
export interface Dashboard {
  /** Why it is not, '' where it is. */
  readonly why: string
  readonly port: number
  /** What its requests have as `Authorization: Bearer`. */
  readonly token: string
  /** The same for GET alone. */
  readonly readOnlyToken: string
}

export interface LogsQuery {
  /** Only the last lines; -1: all that are kept. */
  readonly tail: number
  /** ms since 1970; 0: no limit. */
  readonly since: number
  readonly isFollowed: boolean
  /** Version of a service with several; '': the main one. */
  readonly version: string
  /** Lines that are in memory come with the colours of their app. */
  readonly isColoured?: boolean
}

/** What a run does for requests to its control socket. */
export interface Handlers {
  readonly list: () => RunListing
  /** Ends the whole run. */
  readonly stop: () => void
  /** Stops one app and its sidecar; false if the run has no such app. */
  readonly stopApp: (id: string) => Promise<boolean>
  /** Restarts one app: '' when its process is running, else the reason; undefined if the run has no such app. */
  readonly restartApp: (id: string) => Promise<string | undefined>
  /** Starts an app that was stopped, has ended, or is in a debugger; undefined if the run has no such app. */
  readonly startApp: (id: string) => Promise<Start | undefined>
  /** Ends an app's process for one in a debugger; its sidecar stays. Undefined where the run has no such app. */
  readonly debugApp: (id: string) => Promise<HandedOver | undefined>
  /** How an app is started; undefined if the run has no such app, or it was stopped. */
  readonly launch: (id: string) => Promise<Launch | undefined>
  /** Latin1 text, until the log ends or `gone` is aborted; undefined if the run has no such app. */
  readonly logs: (id: string, asked: LogsQuery, gone: AbortSignal) => AsyncIterable<string> | undefined
  /**
   * Several apps of the run, all if no id is given: latin1 lines in order of time, each preceded by its time (ms since 1970,
   * 0: unknown), stream (`-`: unknown) and app (percent-encoded). Undefined if the run lacks one of the apps.
   */
  readonly runLogs: (ids: readonly string[], asked: LogsQuery, gone: AbortSignal) => AsyncIterable<string> | undefined
  readonly leaseSidecar: (id: string) => LeasedSidecar | undefined
  /** The Daeploy services of the run, in template order. */
  readonly services: () => readonly ListedService[]
  /** Makes a version the main one: '' on success, else the reason. */
  readonly assign: (name: string, version: string) => string
  /** Stops one version and removes it from the run: '' when nothing of it is left, else the reason. */
  readonly remove: (name: string, version: string) => Promise<string>
  /** Lets the port of the built-in Redis go until the run ends; false if the run does not hold it. */
  readonly releaseRedis: (port: number) => Promise<boolean>
  /** Opens the listener of the page, if it is not open yet; `port` 0: one of its choice. */
  readonly dashboard: (port: number) => Promise<Dashboard>
  /** Answers a request under `/api/v1`. */
  readonly api: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** Notifications of services, by an opaque number. */
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

/** A notification with the keys of Daeploy's manager; further keys are passed on. */
export interface ListedNotification {
  readonly service_name: string
  readonly service_version: string
  readonly msg: string
  readonly severity: number
  readonly timestamp: string
  readonly counter: number
}
