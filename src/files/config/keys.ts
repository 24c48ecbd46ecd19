import type {FaultFields} from './fault.ts'
import {words} from '../../model/words.ts'

/** The type of a key in Dapr's Go structs. */
export type KeyKind = 'int' | 'bool' | 'string' | 'destination' | 'strings' | 'env'

type ValueOf<K> = K extends 'int'
  ? number
  : K extends 'bool'
    ? boolean
    : K extends 'strings'
      ? readonly string[]
      : K extends 'env'
        ? Readonly<Record<string, string>>
        : string

type Values<Keys> = {readonly [Key in keyof Keys]?: ValueOf<Keys[Key]>}

/** Dapr's top-level keys, except `common` and `apps`. */
export const TOP_KEYS = {version: 'int', name: 'string'} as const satisfies Record<string, KeyKind>

/** Dapr's keys that both `common` and an app may have (`SharedRunConfig` in Dapr's CLI). */
export const SHARED_KEYS = {
  configFilePath: 'string',
  appProtocol: 'string',
  apiListenAddresses: 'string',
  enableProfiling: 'bool',
  logLevel: 'string',
  appMaxConcurrency: 'int',
  placementHostAddress: 'string',
  schedulerHostAddress: 'string',
  componentspath: 'string',
  resourcesPath: 'string',
  resourcesPaths: 'strings',
  appSSL: 'bool',
  maxBodySize: 'string',
  readBufferSize: 'string',
  enableAppHealthCheck: 'bool',
  appHealthCheckPath: 'string',
  appHealthProbeInterval: 'int',
  appHealthProbeTimeout: 'int',
  appHealthThreshold: 'int',
  enableApiLogging: 'bool',
  runtimePath: 'string',
  env: 'env',
  daprdLogDestination: 'destination',
  appLogDestination: 'destination'
} as const satisfies Record<string, KeyKind>

/** Dapr's keys of an app (`App` in Dapr's CLI). */
export const APP_KEYS = {
  ...SHARED_KEYS,
  appDirPath: 'string',
  appID: 'string',
  command: 'strings',
  appPort: 'int',
  appChannelAddress: 'string',
  daprHTTPPort: 'int',
  daprGRPCPort: 'int',
  daprInternalGRPCPort: 'int',
  metricsPort: 'int',
  profilePort: 'int',
  unixDomainSocket: 'string',
  containerImage: 'string',
  containerImagePullPolicy: 'string',
  createService: 'bool'
} as const satisfies Record<string, KeyKind>

export const OUR_TOP_KEYS = words(
  'interpolate bring setup teardown managerPort allowedOrigins conversation faults catchUp names'
)
/** Top-level keys that only the start of a run reads: an edit counts at the next start. */
export const START_KEYS = ['name', ...OUR_TOP_KEYS.filter(key => key !== 'interpolate')] as const
export const OUR_SHARED_KEYS = [
  ...words('watch restart ready dependsOn reload stop lazy idleTimeout replicas'),
  ...words('logs limits record replay otel autoPort envFile kubernetes')
] as const
export const OUR_APP_KEYS = [
  ...OUR_SHARED_KEYS,
  ...words('version port fixedPort profiles setup teardown tty host names routes')
] as const

/** `250ms`, `5s`, `2m`, or seconds. */
export type Duration = string | number

/** A path, or a path that may be missing unless it is `required`. */
export type EnvFile = string | {readonly path: string; readonly required?: boolean}

/** Keys of an app that only Kubernetes reads. */
export interface KubernetesValues {
  readonly replicas?: number
  /** Requests and limits of the app's container. */
  readonly resources?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Whether the app runs once and ends. */
  readonly job?: boolean
  readonly service?: 'ClusterIP' | 'NodePort' | 'LoadBalancer'
  readonly serviceAccount?: string
  readonly imagePullSecrets?: readonly string[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  /** A JSON merge patch (RFC 7396) of the Deployment or Job. */
  readonly patch?: Readonly<Record<string, unknown>>
}

/** Values of our keys once the schema has accepted them. */
interface OurValues {
  readonly watch?:
    | boolean
    | readonly string[]
    | {readonly paths?: readonly string[]; readonly ignore?: readonly string[]}
  readonly restart?: 'no' | 'on-failure' | 'always'
  readonly ready?:
    | 'none'
    | {
        readonly http?: string
        readonly tcp?: number
        readonly log?: string
        readonly command?: readonly string[]
        readonly timeout?: Duration
      }
  readonly dependsOn?: readonly string[] | Readonly<Record<string, 'started' | 'ready' | 'completed'>>
  readonly reload?: 'replace' | 'overlap'
  readonly stop?: {
    readonly signal?: NodeJS.Signals
    readonly timeout?: Duration
    readonly first?: 'leader' | 'group'
    readonly scope?: 'all' | 'group'
  }
  readonly lazy?: boolean
  readonly idleTimeout?: Duration
  readonly replicas?: number
  readonly logs?: {readonly keep?: number; readonly size?: string | number}
  readonly limits?: {readonly memory?: string | number; readonly cpus?: number}
  readonly record?:
    | boolean
    | {readonly body?: string | number; readonly mask?: readonly string[]; readonly callHeader?: boolean}
  readonly replay?: boolean
  readonly otel?: boolean
  readonly autoPort?: boolean
  readonly envFile?: EnvFile | readonly EnvFile[]
  readonly kubernetes?: KubernetesValues
  readonly version?: string
  readonly port?: number | string
  readonly fixedPort?: number
  readonly profiles?: readonly string[]
  readonly setup?: readonly string[]
  readonly teardown?: readonly string[]
  readonly tty?: boolean
  readonly host?: string
  readonly routes?: Readonly<Record<string, string | {readonly app: string; readonly strip?: boolean}>>
  readonly names?: boolean
}

export type TopValues = Values<typeof TOP_KEYS> & {
  readonly interpolate?: boolean | string
  readonly bring?: readonly string[]
  readonly setup?: readonly string[]
  readonly teardown?: readonly string[]
  readonly managerPort?: number
  readonly allowedOrigins?: readonly string[]
  readonly conversation?: Readonly<Record<string, 'record' | 'replay' | 'live'>>
  readonly faults?: readonly FaultFields[]
  readonly catchUp?: 'latest' | 'all'
  readonly names?: boolean
}
export type AppValues = Values<typeof APP_KEYS> & OurValues
