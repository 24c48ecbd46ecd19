import {isGrpcRule} from '../../model/dapr/api/methods.ts'
import {isHttpRule} from '../../model/dapr/api/routes.ts'
import {ALL_APIS} from './defaults.ts'
import type {ApiAccess, ApiAccesses} from './dapr-configuration.ts'
import type {Field} from './field.ts'

const EXPECTED = 'expected name: state, version: v1'

interface Rule {
  readonly protocol: string
  readonly api: string
}

/** Reads `spec.api` of a Configuration. */
export function readApiAccess(spec: Field): ApiAccesses {
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
    rule.warn(`${rule.path} lacks a name or a version: it has no effect`, {
      expected: EXPECTED
    })
  else if (!(protocol === 'http' ? isHttpRule : isGrpcRule)(`${version}/${name}`))
    rule.warn(`${rule.path} names no API of Dapr over ${protocol}: ${version}/${name}`, {expected: EXPECTED})
  return name !== '' && version !== '' ? [{protocol, api: `${version}/${name}`}] : []
}
