import type {ApiOperation} from '../../../model/dapr/api/api.ts'
import {operationAt} from '../../../model/dapr/api/routes.ts'
import type {Unbuilt} from '../../../model/dapr/api/block-api.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import type {ApiAccess} from '../../../files/resources/api-access.ts'
import {isRouteServed} from './api-access.ts'
import {apiError} from './errors.ts'
import {segmentText} from './go-path.ts'
import {UNBUILT_TEXT} from '../unbuilt.ts'

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
  | {readonly kind: 'reply'; readonly reply: Reply; readonly unbuilt?: Unbuilt}

/** The parameters of a route's path, and the requested app. */
interface Match {
  readonly method: string
  readonly params: readonly string[]
  readonly appId: string
  /** Why the component in the first parameter is missing, in brackets; '' if no file defines it. */
  readonly why: () => string
}

/** Explains why a Component that a file defines is missing, in brackets after a space; '' if no file defines it. */
export type WhyMissing = (component: string) => string

/** A request to the API: a clean, escaped path, and the app of the sidecar. */
export interface RoutedRequest {
  readonly method: string
  readonly path: string
  readonly appId: string
  readonly whyMissing: WhyMissing
  /** The APIs that are served; undefined: all. */
  readonly apiAccess?: ApiAccess | undefined
}

const JOBS: Readonly<Record<string, readonly [string, string]>> = {
  POST: ['DAPR_SCHEDULER_SCHEDULE_JOB', 'schedule'],
  GET: ['DAPR_SCHEDULER_GET_JOB', 'get'],
  DELETE: ['DAPR_SCHEDULER_DELETE_JOB', 'delete']
}

/** Dapr's errors for what is not configured, with the reason in brackets: of blocks that are not built yet. */
const UNBUILT: Readonly<Record<Unbuilt, (match: Match, why: string) => Reply>> = {
  jobs: ({method, appId}, why) => {
    const [code = '', verb = ''] = JOBS[method] ?? []
    return apiError(500, code, `failed to ${verb} job due to: there is no scheduler here${why}`, {
      reason: code,
      metadata: {appID: appId}
    })
  }
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
  {method, path, appId, whyMissing, apiAccess}: RoutedRequest,
  unescape: (segment: string) => string
): RouteAction | undefined => {
  const found = operationAt(method, path)
  if (found === undefined || !isRouteServed(apiAccess, path.slice(1))) return undefined
  const {name, unbuilt, block} = found.operation
  const read = block === 'actors' ? segmentText : unescape
  const params = found.params.map(segments => segments.map(read).join('/'))
  const match: Match = {method, params, appId, why: () => whyMissing(params[0] ?? '')}
  if (unbuilt !== undefined)
    return {kind: 'reply', reply: UNBUILT[unbuilt](match, ` (${UNBUILT_TEXT[unbuilt]})`), unbuilt}
  return OWN[name]?.(match) ?? {kind: 'block', call: name, params}
}
