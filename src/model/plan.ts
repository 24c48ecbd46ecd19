import type {Place} from './errors.ts'
import type {FaultPlan} from './fault.ts'
import type {MovedPorts} from './moved-ports.ts'

/**
 * A run's plan: a template after applying defaults, paths, merges and `.env` files. Every key has a value: a key that the
 * template omits has its default here, so code after the loader never checks whether it is set.
 */
export interface Plan {
  /** The template's name; '': none. */
  readonly name: string
  /** The template's identity: its absolute path, symlinks not resolved; `<cwd>/-` for a template from stdin. */
  readonly file: string
  /** The template as the user named it, for messages: `dapr.yaml`, `shop/dapr.yaml`, `-`. */
  readonly shownAs: string
  /** Further files to merge into the template, absolute. Default: none. */
  readonly overlays?: readonly string[]
  /** File of variables that `interpolate` names, absolute. Default: none. */
  readonly variablesFile?: string
  /** Name of this copy by `--name`. Omitted: the copy has the name of its folder. */
  readonly copy?: string | undefined
  /** Identifies flags and template for a second `up`. Omitted: a single app. */
  readonly asked?: {readonly flags: readonly string[]; readonly parts?: Readonly<Record<string, string>>}
  /** Command that prepares a worktree before its first start: a program and its arguments, if any. */
  readonly setup?: readonly string[]
  /** Command that removes what `setup` made outside of the worktree, if any. */
  readonly teardown?: readonly string[]
  /** Ports of this copy that replace the template's, which its resource files still contain. Default: none. */
  readonly movedPorts?: MovedPorts
  /** Top-level values, as written, that only have an effect at the start of the run, so that an edit has none. */
  readonly atStart?: Readonly<Record<string, unknown>>
  /** Port of the Daeploy manager; 0: any free port; `usual`: 5080, or a free port if that is taken. */
  readonly managerPort: number | 'usual' | 'none'
  /** Origins whose web pages may send requests. Default: only those of this machine. */
  readonly allowedOrigins?: readonly string[]
  /** Whether answers of models are recorded or replayed, by the name of the component. Default: neither. */
  readonly conversation?: Readonly<Record<string, ConversationPlan>>
  /** Apps in the template's order. Several may share an id: versions of one service, or instances of one version. */
  readonly apps: readonly AppPlan[]
  /** Apps that `--only` or their profiles leave out: they can be started during the run. Omitted: there are none. */
  readonly leftOut?: readonly AppPlan[]
  /** Reads the calls that fail on purpose from the start. Rejects with a `UserError`. Default: none. */
  readonly faults?: () => Promise<readonly FaultPlan[]>
  /** Missed firings of a repeating reminder or job that are delivered. By default the latest. */
  readonly catchUp?: 'latest' | 'all'
  /** Whether its apps have host names. Default: only outside CI. */
  readonly names?: boolean
}

/** Whether a component records or replays answers. */
interface ConversationPlan {
  readonly mode: 'record' | 'replay' | 'live'
  readonly place: Place
}

/** An app: its program, its sidecar, and the supervision of its process. All paths are absolute. */
export interface AppPlan {
  readonly id: string
  /** Daeploy's version of a service. */
  readonly version: string
  /** Number of the instance within its id and version, from 1. */
  readonly instance: number
  /** Working directory of the program (`appDirPath`). */
  readonly folder: string
  /** The program and its arguments; empty: Pillion starts only the sidecar. */
  readonly command: readonly string[]
  /** The variables that the template and its `.env` files add to the environment; layers are already merged. */
  readonly env: Readonly<Record<string, string>>
  /** The `.env` files that were read, for watching. */
  readonly envFiles: readonly string[]
  readonly channel: ChannelPlan
  readonly sidecar: SidecarPlan
  readonly health: HealthPlan
  readonly logs: LogPlan
  readonly record: RecordPlan
  /** Whether calls to it may be sent again. */
  readonly replay: boolean
  /** Whether its OpenTelemetry SDK sends to Pillion. Default: yes, unless a Configuration names another receiver. */
  readonly otel?: boolean
  readonly ready: ReadyPlan
  readonly restart: 'no' | 'on-failure' | 'always'
  readonly watch: WatchPlan
  /** Tool that reloads it (`vite`), so that `--watch` does not; '': none. */
  readonly reloadsItself: string
  readonly reload: 'replace' | 'overlap'
  readonly stop: StopPlan
  readonly dependsOn: readonly Dependency[]
  /** Present if its first call starts it. Default: the run starts it. */
  readonly lazy?: true
  /** How long an app may be idle before it is put to sleep. Omitted: it does not sleep. */
  readonly idleTimeoutMs?: number
  /** Present if the template shows no use of Dapr: the sidecar sends Dapr's requests only after an app of the run has called a sidecar. */
  readonly isPlain?: true
  /** The port that is hard-coded in the service (Daeploy); 0: none. */
  readonly fixedPort: number
  /** Port at which others call it without Dapr's API, open for the whole run. Default: none. */
  readonly published?: PublishedPlan
  /** Host name from the template, in lower case: one label or several. Default: derived from its id. */
  readonly host?: string
  /** Apps that answer paths below these prefixes in its place, the longest prefix first. Default: none. */
  readonly routes?: readonly RoutePlan[]
  /** Whether the app has no host name. By default, an app with HTTP has one. */
  readonly isNameless?: boolean
  /** Limits of its process, if any. */
  readonly limits?: LimitsPlan
  /** Present if its process has a terminal. */
  readonly tty?: true
  /** Command that prepares its folder in a worktree, if any. */
  readonly setup?: readonly string[]
  /** Command that removes what its `setup` made, if any. */
  readonly teardown?: readonly string[]
  /** Profiles with which it starts. Omitted: it always starts. */
  readonly profiles?: readonly string[]
  readonly resources: ResourcesPlan
  readonly elsewhere: ElsewherePlan
}

/** Whether the app may be asleep: without a process until it is needed. */
export const maySleep = ({lazy, idleTimeoutMs}: Pick<AppPlan, 'lazy' | 'idleTimeoutMs'>): boolean =>
  lazy === true || idleTimeoutMs !== undefined

/** Returns the name of an instance for people. The first one has the plain name. */
export const instanceName = (name: string, instance: number): string => (instance === 1 ? name : `${name}.${instance}`)

/** Returns the name of an instance that is unique over all versions. */
export const versionedName = ({name, version}: {readonly name: string; readonly version: string}): string =>
  version === '0.0.0' ? name : `${name}@${version}`

/** Returns the id in the name of a log line, which may have a version and an instance after it: `shop_1.2.0.2`. */
export const idInName = (name: string): string => name.replace(/_\d+\.\d+\.\d+.*$|\.\d+$/, '')

/** Whether a name means an instance: the app's id, the instance's name, or, for the first one, `shop.1`. */
export const isNamedSo = ({id, name}: {readonly id: string; readonly name: string}, text: string): boolean =>
  text === id || text === name || (name === id && text === `${id}.1`)

/** Limits of a process and its children, on systems with such limits. */
export interface LimitsPlan {
  /** Maximum memory; 0: no limit. */
  readonly memoryBytes: number
  /** Number of processors, which may be a fraction; 0: no limit. */
  readonly cpus: number
}

/** Returns the ports at which an app listens, or is waited for. */
export const listenPorts = ({ready, channel, fixedPort}: AppPlan): readonly number[] =>
  [channel.port, fixedPort, ready.kind === 'tcp' ? ready.port : 0].filter(port => port > 0)

/** A rule by which another app answers the paths below a prefix. */
export interface RoutePlan {
  /** The prefix: `/`, or a path that does not end with a slash. */
  readonly prefix: string
  readonly app: string
  /** Whether the prefix is removed from the path. */
  readonly strips: boolean
}

/** A port at which an app is called, whatever port it listens on itself. */
export interface PublishedPlan {
  /** The address of this machine to listen on; '': 127.0.0.1 and ::1. */
  readonly host: string
  readonly number: number
  /** The number that the program has in its code, whose bind is moved. */
  readonly inCode: number
}

/** How a sidecar reaches its app. */
export interface ChannelPlan {
  readonly protocol: 'http' | 'https' | 'h2c' | 'grpc' | 'grpcs'
  /** Host name or address; '': 127.0.0.1, then ::1. */
  readonly address: string
  /** The port that the app listens on; 0: it does not listen. */
  readonly port: number
  /** Whether Pillion chooses the port and passes it to the app. */
  readonly autoPort: boolean
  /** The copy has `port` in place of the template's number. Omitted: it has the template's. */
  readonly isMoved?: true
  /** Maximum number of calls in flight; 0: no limit. */
  readonly maxConcurrency: number
}

/** Settings of the sidecar: ports are numbers, 0: any free port. */
export interface SidecarPlan {
  readonly httpPort: number
  readonly grpcPort: number
  readonly internalGrpcPort: number
  readonly metricsPort: number
  /** Empty: 127.0.0.1 and ::1. */
  readonly listenAddresses: readonly string[]
  /** Folder of unix domain sockets; '': none. */
  readonly socketFolder: string
  /** Maximum size of a request body; 0: no limit. */
  readonly maxBodyBytes: number
  /** Maximum size of a request head. */
  readonly readBufferBytes: number
  readonly apiLogging: boolean
  readonly logLevel: LogLevel
}

/** App health checks (Dapr's `enableAppHealthCheck` and its keys). */
export interface HealthPlan {
  readonly enabled: boolean
  readonly path: string
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly threshold: number
}

export type LogDestination = 'file' | 'console' | 'fileAndConsole'

/** Recording of an app's calls. */
export interface RecordPlan {
  /** The number of bytes to record of each body, in each direction; -1: such calls are not recorded. */
  readonly bodyBytes: number
  /** Further names whose values are masked wherever recorded bytes are shown. */
  readonly mask: readonly string[]
  /** Present if responses do not name their call to callers outside of the run. Default: they do. */
  readonly namesCalls?: false
}

export interface LogPlan {
  readonly app: LogDestination
  readonly sidecar: LogDestination
  /** `<appDirPath>/.dapr/logs` */
  readonly folder: string
  /** The number of newest files of each kind to keep; 0: all. */
  readonly keep: number
  /** Maximum size of each file in bytes, its older half included; 0: none. */
  readonly size: number
}

/** When an app counts as ready. `spawned`: as soon as its process runs. Port 0: the allocated one. After `timeoutMs` a warning is printed; the app is not killed. */
export type ReadyPlan = {readonly timeoutMs: number} & (
  | {readonly kind: 'spawned'}
  | {readonly kind: 'tcp'; readonly port: number}
  | {readonly kind: 'http'; readonly path: string}
  | {readonly kind: 'log'; readonly pattern: string}
  | {readonly kind: 'command'; readonly command: readonly string[]}
)

/** Files that restart an app; `paths` is empty for none. */
export interface WatchPlan {
  /** Globs, relative to the app's folder. */
  readonly paths: readonly string[]
  readonly ignore: readonly string[]
  /** Whether `.gitignore` excludes files. False for globs of the template. */
  readonly honoursGitignore: boolean
  /** Folders of other apps inside the app's own, absolute. Saves there belong to those apps. Default: none. */
  readonly others?: readonly string[]
  /** Set if a save does not start an app that has exited with 0. Default: it does. */
  readonly untilFinished?: true
}

export interface StopPlan {
  readonly signal: NodeJS.Signals
  /** Time from the signal to SIGKILL. */
  readonly timeoutMs: number
  /** `leader`: the other processes get the signal after the leader's exit, or after half of the time. `group`: all get it at once. */
  readonly first: 'leader' | 'group'
  /** `all`: also processes that left the app's process group. */
  readonly scope: 'all' | 'group'
}

export interface Dependency {
  readonly id: string
  readonly until: 'started' | 'ready' | 'completed'
}

export interface ResourcesPlan {
  /** Folders of Dapr resources; the default ones need not exist. */
  readonly folders: readonly string[]
  /** File of Dapr's Configuration; '': none. */
  readonly configFile: string
  /** Dapr's own folder, whose resources the template does not name. */
  readonly defaultFolder: string
  /** Values for `${…}` in the files of its folders. Default: nothing is replaced. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
  /** A component that cannot be opened is only reported: for a command next to the apps, which may not need it. */
  readonly areOptional?: boolean
}

/** Settings that only have a meaning in Kubernetes or in Dapr's own sidecar: kept for an export, not used here. */
export interface ElsewherePlan {
  readonly containerImage: string
  readonly pullPolicy: 'Always' | 'Never' | 'IfNotPresent'
  readonly createService: boolean
  /** The address as written; '' disables the service. */
  readonly placementAddress: string
  /** The address as written; '' disables the service. */
  readonly schedulerAddress: string
  /** Port of the profiling server; 0: any free port. */
  readonly profilePort: number | 'none'
}

/** Programs that run containers. */
export const ENGINE = /(?:^|\/)(?:docker|podman|nerdctl)$/

/** Levels of a sidecar's log, from the most verbose (`toLogLevel` in github.com/dapr/kit). */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]

/** Whether a log with the minimum level `least` contains lines of `level`. */
export const writesAt = (least: LogLevel, level: LogLevel): boolean =>
  LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least)
