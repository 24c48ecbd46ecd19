import type {Place} from '../../model/errors.ts'
import {readAccessControl, type AccessControl} from './access-control.ts'
import {readApiAccess, type ApiAccesses} from './api-access.ts'
import {readApiLogging, type ApiLogging} from './api-logging.ts'
import {DEFAULT_CONFIGURATION} from './defaults.ts'
import {readDeniedTypes, type DeniedType} from './denied-types.ts'
import type {Field, ResourceFile} from './field.ts'
import {readHandlers, type HandlerSpec} from './http-pipeline.ts'
import {readMetricsSettings, type MetricsSettings} from './metrics-settings.ts'
import {readSecretScopes, type SecretScope} from './secret-scopes.ts'
import {readTracingSettings} from './read-tracing-settings.ts'
import type {TracingSettings} from './tracing-settings.ts'
import {readWorkflowSettings, type WorkflowSettings} from './workflow-settings.ts'

/** A Dapr Configuration (pkg/config/configuration.go), as far as it is about calls. */
export interface Configuration {
  /** Why an app that has it cannot be started, as Dapr's sidecar ends then; '' = it can. */
  readonly fault: string
  /** Undefined: everybody may call everything. */
  readonly accessControl: AccessControl | undefined
  readonly apiAccess: ApiAccesses
  /** Which secrets the app may read. */
  readonly secretScopes: readonly SecretScope[]
  /** Undefined: it does not say. */
  readonly httpPipeline: readonly HandlerSpec[] | undefined
  readonly appHttpPipeline: readonly HandlerSpec[] | undefined
  readonly apiLogging: ApiLogging
  readonly metrics: MetricsSettings
  readonly tracing: TracingSettings
  readonly workflows: WorkflowSettings
  /** Types of Components that the app may not have. */
  readonly deniedTypes: readonly DeniedType[]
  /** What keeps callers out or changes what passes, and is not enforced. */
  readonly unenforced: readonly UnenforcedKey[]
}

/** A key of `spec` that restricts calls. */
export interface UnenforcedKey {
  readonly key: string
  readonly place: Place
}

/**
 * The Configuration of a file; undefined when it cannot be used: the file's faults tell why. Dapr reads its first document,
 * whatever its kind, and replaces `${VARIABLE}` in the text before that.
 */
export async function readConfiguration({documents, faults}: ResourceFile): Promise<Configuration | undefined> {
  const spec = documents[0]?.field('spec')
  const configuration =
    spec === undefined
      ? DEFAULT_CONFIGURATION
      : {
          fault: '',
          accessControl: readAccessControl(spec),
          apiAccess: readApiAccess(spec),
          secretScopes: readSecretScopes(spec),
          httpPipeline: readHandlers(spec, 'httpPipeline'),
          appHttpPipeline: readHandlers(spec, 'appHttpPipeline'),
          apiLogging: readApiLogging(spec),
          metrics: await readMetricsSettings(spec),
          tracing: readTracingSettings(spec),
          workflows: readWorkflowSettings(spec),
          deniedTypes: readDeniedTypes(spec),
          unenforced: readUnenforced(spec)
        }
  return faults.some(({severity}) => severity === 'error') ? undefined : configuration
}

/** The parts of a Configuration's `spec` that nothing here enforces yet, and when they restrict anything. */
const UNENFORCED: Readonly<Record<string, (field: Field) => boolean>> = {
  mtls: field => field.field('enabled').boolean() === true
}

const readUnenforced = (spec: Field): readonly UnenforcedKey[] =>
  Object.entries(UNENFORCED)
    .filter(([key, restricts]) => restricts(spec.field(key)))
    .map(([key]) => ({key, place: spec.field(key).place}))
