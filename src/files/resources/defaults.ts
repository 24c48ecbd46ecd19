import type {ResourceSnapshot} from './app-resources.ts'
import type {ApiLogging} from './api-logging.ts'
import type {ApiAccesses, Configuration} from './dapr-configuration.ts'
import type {MetricsSettings} from './metrics-settings.ts'
import type {Resiliency, RetryPolicy} from './resiliency/policies.ts'
import type {TracingSettings} from './tracing-settings.ts'
import type {ConcurrencyLimits, WorkflowSettings} from '../../model/workflow-settings.ts'

// Defaults without a file. This module has no imports, so that a run without resources loads no more code.

export const DEFAULT_API_LOGGING: ApiLogging = {enabled: false, obfuscatesUrls: false, omitsHealthChecks: false}

export const DEFAULT_METRICS: MetricsSettings = {
  isEnabled: true,
  hasErrorCodes: false,
  latencyBuckets: undefined,
  rules: [],
  hasFullPaths: true,
  pathMatching: [],
  hasVerbs: true
}

export const DEFAULT_TRACING: TracingSettings = {samplingRate: '', isLogged: false, zipkinUrl: '', otlp: undefined}

const NO_LIMITS: ConcurrencyLimits = {all: Infinity, byName: new Map()}

export const DEFAULT_WORKFLOWS: WorkflowSettings = {workflows: NO_LIMITS, activities: NO_LIMITS, retention: {}}

export const ALL_APIS: ApiAccesses = {http: undefined, grpc: undefined}

/** Dapr's values without a file. */
export const DEFAULT_CONFIGURATION: Configuration = {
  fault: '',
  accessControl: undefined,
  apiAccess: ALL_APIS,
  secretScopes: [],
  httpPipeline: undefined,
  appHttpPipeline: undefined,
  apiLogging: DEFAULT_API_LOGGING,
  metrics: DEFAULT_METRICS,
  tracing: DEFAULT_TRACING,
  workflows: DEFAULT_WORKFLOWS,
  deniedTypes: [],
  unenforced: []
}

/** Retries between sidecars when the callee's sidecar accepts no connection (Dapr: pkg/resiliency, addBuiltInPolicies). */
export const BUILT_IN_RETRY: RetryPolicy = {
  name: 'DaprBuiltInServiceRetries',
  policy: 'constant',
  durationMs: 1000,
  maxIntervalMs: 60_000,
  maxRetries: 3,
  matching: {http: undefined, grpc: undefined}
}

/** Returns the retries towards a sidecar that accepts no connection. A policy of the same name in a file overrides them. */
export const builtInRetry = ({policies}: Resiliency): RetryPolicy =>
  policies.retries.get(BUILT_IN_RETRY.name) ?? BUILT_IN_RETRY

/** No policy at all but the built-in one. */
export const NO_RESILIENCY: Resiliency = {
  resources: [],
  policies: {
    timeouts: new Map(),
    retries: new Map([[BUILT_IN_RETRY.name, BUILT_IN_RETRY]]),
    circuitBreakers: new Map()
  },
  targets: {apps: new Map(), actors: new Map(), components: new Map()}
}

/** The resources of an app that has no files. */
export const NO_RESOURCES: ResourceSnapshot = {
  endpoints: [],
  components: [],
  subscriptions: [],
  resiliency: NO_RESILIENCY,
  accessPolicies: [],
  mcpServers: [],
  configuration: DEFAULT_CONFIGURATION,
  withoutEffect: [],
  references: [],
  faults: []
}
