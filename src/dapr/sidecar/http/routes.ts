import type {ApiOperation} from '../../../model/dapr/api/api.ts'
import {operationAt, isRuleFor} from '../../../model/dapr/api/routes.ts'
import type {ApiAccess} from '../../../files/resources/dapr-configuration.ts'
import {segmentText} from './go-path.ts'
import {ownOf} from '../../../model/own.ts'

export interface BlockCall {
  readonly call: ApiOperation['name']
  /** Parameters in the path, unescaped. */
  readonly params: readonly string[]
}

/** The action for a known path and method. */
export type RouteAction =
  | {readonly kind: 'health'}
  | {readonly kind: 'outbound-health'}
  | {readonly kind: 'metadata'}
  | {readonly kind: 'put-metadata'; readonly key: string}
  | {readonly kind: 'shutdown'}
  | ({readonly kind: 'block'} & BlockCall)

/** A request to the API: a clean, escaped path. */
interface RoutedRequest {
  readonly method: string
  readonly path: string
  /** The APIs that are served; undefined: all. */
  readonly apiAccess?: ApiAccess | undefined
}

/** Operations that need no building block, by the parameters of the path. */
const OWN: Partial<Readonly<Record<ApiOperation['name'], (params: readonly string[]) => RouteAction>>> = {
  Healthz: () => ({kind: 'health'}),
  HealthzOutbound: () => ({kind: 'outbound-health'}),
  GetMetadata: () => ({kind: 'metadata'}),
  SetMetadata: ([key = '']) => ({kind: 'put-metadata', key}),
  Shutdown: () => ({kind: 'shutdown'})
}

/** The action for a request to the sidecar's own API; undefined: it is an invocation. */
export const findRoute = (
  {method, path, apiAccess}: RoutedRequest,
  unescape: (segment: string) => string
): RouteAction | undefined => {
  const found = operationAt(method, path)
  if (found === undefined || !isRouteServed(apiAccess, found.route)) return undefined
  const {name, block} = found.operation
  const read = block === 'actors' ? segmentText : unescape
  const params = found.params.map(segments => segments.map(read).join('/'))
  return ownOf(OWN, name)?.(params) ?? {kind: 'block', call: name, params}
}

/** Returns whether the sidecar serves a route, such as `v1.0/state/*`. Denied rules win over allowed ones; health is always served. */
export const isRouteServed = (access: ApiAccess | undefined, route: string): boolean => {
  if (access === undefined || route.startsWith('v1.0/healthz')) return true
  const {allowed, denied} = access
  const isNamed = (rule: string): boolean => isRuleFor(rule, route)
  if (denied.some(isNamed)) return false
  return allowed.length === 0 || allowed.some(isNamed)
}
