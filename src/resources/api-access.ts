import type {Field} from './field.ts'

/** Which APIs a sidecar serves (Dapr: pkg/config, APISpec), as `v1.0/state`: version and first part of the route. */
export interface ApiAccess {
  /** Empty: all that are not denied. */
  readonly allowed: readonly string[]
  readonly denied: readonly string[]
}

/** Reads `spec.api` of a Configuration; undefined: every API is served. */
export function readApiAccess(spec: Field): ApiAccess | undefined {
  const api = spec.field('api')
  if (api.isAbsent) return undefined
  api.warnUnknownKeys(['allowed', 'denied'])
  const rulesIn = (key: string): readonly string[] => api.field(key).items().flatMap(readRule)
  const access = {allowed: rulesIn('allowed'), denied: rulesIn('denied')}
  return access.allowed.length + access.denied.length === 0 ? undefined : access
}

function readRule(rule: Field): readonly string[] {
  rule.warnUnknownKeys(['name', 'version', 'protocol'])
  const [name, version] = [rule.field('name').text(), rule.field('version').text()]
  const protocol = rule.field('protocol').text().toLowerCase()
  if (!['http', 'grpc'].includes(protocol)) {
    const said = protocol === '' ? 'has no protocol' : `has the protocol "${protocol}"`
    rule.warn(`${rule.path} ${said}: it has no effect`, {expected: 'expected protocol: http, or grpc'})
  } else if (name === '' || version === '')
    rule.warn(`${rule.path} lacks a name or a version: it has no effect`, {
      expected: 'expected name: state, version: v1.0'
    })
  return protocol === 'http' && name !== '' && version !== '' ? [`${version}/${name}`] : []
}
