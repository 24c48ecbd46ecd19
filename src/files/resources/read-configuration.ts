import {readAccessControl} from './access-control.ts'
import {readApiLogging} from './api-logging.ts'
import {DEFAULT_CONFIGURATION, ALL_APIS} from './defaults.ts'
import {readDeniedTypes} from './denied-types.ts'
import type {Field} from './field.ts'
import type {ResourceFile} from './resource-file.ts'
import {readHandlers} from './http-pipeline.ts'
import {readMetricsSettings} from './metrics-settings.ts'
import {readSecretScopes} from './secret-scopes.ts'
import {readTracingSettings} from './read-tracing-settings.ts'
import {readWorkflowSettings} from './read-workflow-settings.ts'
import type {Configuration, UnenforcedKey, ApiAccess, ApiAccesses} from './dapr-configuration.ts'
import {isGrpcRule, isHttpRule} from '../../model/dapr/api/routes.ts'

/**
 * Reads the Configuration of a file. Undefined if it is unusable; the file's faults have the reason. Dapr reads the first document, of
 * any kind, and replaces `${VARIABLE}` in its text first.
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

/** Finds restrictions in a Configuration's `spec` that Pillion does not enforce yet. */
function readUnenforced(spec: Field): readonly UnenforcedKey[] {
  const mtls = spec.field('mtls')
  mtls.warnUnknownKeys(MTLS_KEYS)
  return mtls.field('enabled').boolean() === true ? [{key: 'mtls', place: mtls.place}] : []
}

const EXPECTED = 'expected name: state, version: v1'

interface Rule {
  readonly protocol: string
  readonly api: string
}

/** Reads `spec.api` of a Configuration. */
function readApiAccess(spec: Field): ApiAccesses {
  const api = spec.field('api')
  if (api.isAbsent) return ALL_APIS
  api.warnUnknownKeys(['allowed', 'denied'])
  const rulesIn = (key: string): readonly Rule[] => api.field(key).items().flatMap(readRule)
  const [allowed, denied] = [rulesIn('allowed'), rulesIn('denied')]
  const of = (protocol: string): ApiAccess | undefined => {
    const isMeant = (rule: Rule): boolean => rule.protocol === protocol
    if (!allowed.some(isMeant) && !denied.some(isMeant)) return undefined
    const apis = (rules: readonly Rule[]): readonly string[] => rules.filter(isMeant).map(each => each.api)
    return {allowed: apis(allowed), denied: apis(denied)}
  }
  return {http: of('http'), grpc: of('grpc')}
}

function readRule(rule: Field): readonly Rule[] {
  rule.warnUnknownKeys(['name', 'version', 'protocol'])
  const [name, version] = [rule.field('name').text(), rule.field('version').text()]
  const protocol = rule.field('protocol').text().toLowerCase()
  if (!['http', 'grpc'].includes(protocol)) {
    const said = protocol === '' ? 'has no protocol' : `has the protocol "${protocol}"`
    rule.warn(`${rule.path} ${said}: it has no effect`, {expected: 'expected protocol: http, or grpc'})
  } else if (name === '' || version === '')
    rule.warn(`${rule.path} lacks a name or a version: it has no effect`, {expected: EXPECTED})
  else if (!(protocol === 'http' ? isHttpRule : isGrpcRule)(`${version}/${name}`))
    rule.warn(`${rule.path} names no API of Dapr over ${protocol}: ${version}/${name}`, {expected: EXPECTED})
  return name !== '' && version !== '' ? [{protocol, api: `${version}/${name}`}] : []
}
