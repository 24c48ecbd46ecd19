import type {Place} from '../../model/errors.ts'
import type {AccessControl} from './access-control.ts'
import type {ApiLogging} from './api-logging.ts'
import type {DeniedType} from './denied-types.ts'
import type {HandlerSpec} from './http-pipeline.ts'
import type {MetricsSettings} from './metrics-settings.ts'
import type {SecretScope} from './secret-scopes.ts'
import type {TracingSettings} from './tracing-settings.ts'
import type {WorkflowSettings} from '../../model/workflow-settings.ts'

/** The parts of a Dapr Configuration that concern calls (pkg/config/configuration.go). */
export interface Configuration {
  /** Why an app with this Configuration cannot start: Dapr's sidecar would exit; '': it can start. */
  readonly fault: string
  /** Access rules. Undefined allows everything. */
  readonly accessControl: AccessControl | undefined
  readonly apiAccess: ApiAccesses
  /** Secrets that the app may read. */
  readonly secretScopes: readonly SecretScope[]
  /** Middleware for requests to the sidecar. undefined: Components with a `pipelineType` are the middleware. */
  readonly httpPipeline: readonly HandlerSpec[] | undefined
  readonly appHttpPipeline: readonly HandlerSpec[] | undefined
  readonly apiLogging: ApiLogging
  readonly metrics: MetricsSettings
  readonly tracing: TracingSettings
  readonly workflows: WorkflowSettings
  /** Types of Components that the app may not have. */
  readonly deniedTypes: readonly DeniedType[]
  /** Settings that would refuse callers or change data, and are not enforced. */
  readonly unenforced: readonly UnenforcedKey[]
}

/** Allowed and denied APIs of one protocol (Dapr: pkg/config, APISpec), by version and name: `v1/state`, or `v1.0/state` over HTTP. */
export interface ApiAccess {
  /** Empty: all that are not denied. */
  readonly allowed: readonly string[]
  readonly denied: readonly string[]
}

/** Restrictions of a Configuration by protocol; undefined serves every API. */
export interface ApiAccesses {
  readonly http: ApiAccess | undefined
  readonly grpc: ApiAccess | undefined
}

/** A key of `spec` that restricts calls. */
export interface UnenforcedKey {
  readonly key: string
  readonly place: Place
}
