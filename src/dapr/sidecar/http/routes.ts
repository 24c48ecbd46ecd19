import type {ApiOperation} from '../../../model/dapr/api/api.ts'
import {operationAt, isRuleFor} from '../../../model/dapr/api/routes.ts'
import type {ApiAccess} from '../../../files/resources/dapr-configuration.ts'
import {segmentText} from './go-path.ts'
import {ownOf} from '../../../model/own.ts'

/** An operation of a building block that a request names. */
export interface BlockCall {
  readonly call: ApiOperation['name']
  readonly params: readonly string[]
}

/** The route of the sidecar's own API that a request names. */
export type RouteAction =
  | {readonly kind: 'health'}
  | {readonly kind: 'outbound-health'}
  | {readonly kind: 'metadata'}
  | {readonly kind: 'put-metadata'; readonly key: string}
  | {readonly kind: 'shutdown'}
  | ({readonly kind: 'block'} & BlockCall)

/** A request to the sidecar, by a cleaned path with escapes. */
interface RoutedRequest {
  readonly method: string
  readonly path: string
  /** The APIs that are served; undefined: all. */
  readonly apiAccess?: ApiAccess | undefined
}

/** Operations that need no building block, each with a function of the parameters in the path. */
const OWN: Partial<Readonly<Record<ApiOperation['name'], (params: readonly string[]) => RouteAction>>> = {
  Healthz: () => ({kind: 'health'}),
  HealthzOutbound: () => ({kind: 'outbound-health'}),
  GetMetadata: () => ({kind: 'metadata'}),
  SetMetadata: ([key = '']) => ({kind: 'put-metadata', key}),
  Shutdown: () => ({kind: 'shutdown'})
}

/** Finds the route of a request to the sidecar's own API; undefined: there is none, or it is not served. */
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

/** Whether the API access rules of the Configuration allow a route, such as `v1.0/state/*`. Denials win over permissions. Health is always allowed. */
export const isRouteServed = (access: ApiAccess | undefined, route: string): boolean => {
  if (access === undefined || route.startsWith('v1.0/healthz')) return true
  const {allowed, denied} = access
  const isNamed = (rule: string): boolean => isRuleFor(rule, route)
  if (denied.some(isNamed)) return false
  return allowed.length === 0 || allowed.some(isNamed)
}
