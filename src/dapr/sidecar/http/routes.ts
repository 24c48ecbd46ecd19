import type {ApiOperation} from '../../../model/dapr/api/api.ts'
import {operationAt} from '../../../model/dapr/api/routes.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import type {ApiAccess} from '../../../files/resources/api-access.ts'
import {isRouteServed} from './api-access.ts'
import {apiError} from './errors.ts'
import {segmentText} from './go-path.ts'

/** A call to a building block. */
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
  | {readonly kind: 'reply'; readonly reply: Reply}

/** The parameters of a route's path. */
interface Match {
  readonly params: readonly string[]
  /** Why the component in the first parameter is missing, in brackets; '' if no file defines it. */
  readonly why: () => string
}

/** Explains why a Component that a file defines is missing, in brackets after a space; '' if no file defines it. */
export type WhyMissing = (component: string) => string

/** A request to the API: a clean, escaped path. */
export interface RoutedRequest {
  readonly method: string
  readonly path: string
  readonly whyMissing: WhyMissing
  /** The APIs that are served; undefined: all. */
  readonly apiAccess?: ApiAccess | undefined
}

/** What the sidecar does itself. */
const OWN: Partial<Readonly<Record<ApiOperation['name'], (match: Match) => RouteAction>>> = {
  Healthz: () => ({kind: 'health'}),
  HealthzOutbound: () => ({kind: 'outbound-health'}),
  GetMetadata: () => ({kind: 'metadata'}),
  SetMetadata: ({params: [key = '']}) => ({kind: 'put-metadata', key}),
  Shutdown: () => ({kind: 'shutdown'}),
  Converse: ({params: [name = ''], why}) => ({
    kind: 'reply',
    reply: apiError(400, 'ERR_CONVERSATION_NOT_FOUND', `failed finding conversation component ${name}${why()}`)
  })
}

/** The action for a request to the sidecar's own API; undefined: it is an invocation. */
export const findRoute = (
  {method, path, whyMissing, apiAccess}: RoutedRequest,
  unescape: (segment: string) => string
): RouteAction | undefined => {
  const found = operationAt(method, path)
  if (found === undefined || !isRouteServed(apiAccess, path.slice(1))) return undefined
  const {name, block} = found.operation
  const read = block === 'actors' ? segmentText : unescape
  const params = found.params.map(segments => segments.map(read).join('/'))
  const match: Match = {params, why: () => whyMissing(params[0] ?? '')}
  return OWN[name]?.(match) ?? {kind: 'block', call: name, params}
}
