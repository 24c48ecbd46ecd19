import {readAccessControl} from './access-control.ts'
import {readApiAccess} from './read-api-access.ts'
import {readApiLogging} from './api-logging.ts'
import {DEFAULT_CONFIGURATION} from './defaults.ts'
import {readDeniedTypes} from './denied-types.ts'
import type {Field, ResourceFile} from './field.ts'
import {readHandlers} from './http-pipeline.ts'
import {readMetricsSettings} from './metrics-settings.ts'
import {readSecretScopes} from './secret-scopes.ts'
import {readTracingSettings} from './read-tracing-settings.ts'
import {readWorkflowSettings} from './read-workflow-settings.ts'
import type {Configuration, UnenforcedKey} from './dapr-configuration.ts'

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

const MTLS_KEYS =
  'enabled workloadCertTTL allowedClockSkew sentryAddress controlPlaneTrustDomain tokenValidators'.split(' ')

/** The part of a Configuration's `spec` that nothing here enforces yet, if it restricts anything. */
function readUnenforced(spec: Field): readonly UnenforcedKey[] {
  const mtls = spec.field('mtls')
  mtls.warnUnknownKeys(MTLS_KEYS)
  return mtls.field('enabled').boolean() === true ? [{key: 'mtls', place: mtls.place}] : []
}
