import type {ApiAccess} from '../../../files/resources/dapr-configuration.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import {baggageFault} from './baggage.ts'
import type {Protocol} from '../../../model/call-protocol.ts'
import {protocolOf, type ParsedHead} from '../../../proxy/net/http1/raw-head.ts'
import {readHeaders, type RequestHeaders} from './headers.ts'
import {badEscape, cleanPath, unescapeParam, unescapePath} from './go-path.ts'
import {isToken, type IsAllowedHost} from '../../../proxy/gateway/guards.ts'
import {BAD_TARGET, FOREIGN_HOST, INVALID_TOKEN, plainError} from './errors.ts'
import {findRoute, type RouteAction} from './routes.ts'
import {findTarget, idOfBasic, isInvoke, splitTarget, type Sent, type Target} from './target.ts'
import {linesOfTrace} from './trace.ts'
import type {CallSpan} from '../../../model/call.ts'
import type {Tracer} from '../../../observe/telemetry/tracing/tracer.ts'

/** A parsed request with exactly one of refusal, action and target; without any, it names no app. */
export interface SidecarRequest {
  readonly raw: ParsedHead
  readonly protocol: Protocol
  /** The method in upper case. */
  readonly method: string
  readonly sent: Sent
  readonly headers: RequestHeaders
  readonly refusal: Reply | undefined
  /** A route of the sidecar's own API. */
  readonly action: RouteAction | undefined
  readonly target: Target | undefined
  readonly trace: string
  /** Trace headers for the caller, if the app's response has none. */
  readonly responseTrace: string
  /** The span of this request, if there is one. */
  readonly span: CallSpan | undefined
}

/** How traces are handled; this may change from request to request. */
export interface Tracing {
  /** Whether trace headers get a span of ours. Otherwise they are passed on unchanged. */
  readonly isTracing: boolean
  /** Begins spans. Without it a request keeps its trace, or gets a new one. */
  readonly tracer: Tracer | undefined
}

/** Access checks of a sidecar. */
export interface Guards {
  readonly isAllowedHost: IsAllowedHost
  /** DAPR_API_TOKEN, '': none. */
  readonly apiToken: string
  readonly tracing: Tracing
  /** Returns the APIs that are served now to the sender of a delegation header, '': the own app; undefined: all. */
  readonly apiAccess: (delegation: string) => ApiAccess | undefined
}

const OPTIONS_OF_SERVER: Reply = {status: 200, type: '', body: '', lines: ''}

/** Health requests need no token (Dapr: isRouteExcludedFromAPITokenAuth). */
const isTokenFree = (method: string, path: string): boolean =>
  method === 'GET' && /^\/*v1\.0\/healthz(?:\/outbound)?\/*$/.test(unescapePath(path))

/** Returns the response to a request that needs no handler: a refusal, or that of `OPTIONS *`. Returns undefined if it needs one. */
const refusalOf = (
  {sent: {authority, path}, headers, method}: Pick<SidecarRequest, 'method' | 'sent' | 'headers'>,
  isTraced: boolean,
  {isAllowedHost, apiToken}: Guards
): Reply | undefined => {
  const host = authority || headers.host
  if (host !== '' && !isAllowedHost(host)) return FOREIGN_HOST
  if (path === '*' && method === 'OPTIONS') return OPTIONS_OF_SERVER
  if (path.includes('%') && badEscape(path) !== undefined) return BAD_TARGET
  if (apiToken !== '' && !isToken(headers.apiToken, apiToken) && !isTokenFree(method, path)) return INVALID_TOKEN
  const fault = isTraced && headers.baggage.length > 0 ? baggageFault(headers.baggage.join(',')) : ''
  return fault === '' ? undefined : plainError(400, `invalid baggage header: ${fault}`)
}

/** Parses a request, and checks access. Routes of the sidecar take precedence over an app id outside the URL. */
export const readSidecarRequest = (request: ParsedHead, guards: Guards): SidecarRequest => {
  const method = request.method ?? ''
  const sent = splitTarget(request.url ?? '/')
  const headers = readHeaders(request.rawHeaders)
  const {isTracing, tracer} = guards.tracing
  const isTraced = isTracing && !sent.path.includes('/healthz')
  const refusal = refusalOf({method, sent, headers}, isTraced, guards)
  if (guards.apiToken !== '') headers.apiToken = ''
  // The response echoes baggage only for traced requests.
  if (!isTraced) headers.baggage = []
  const span = isTraced ? tracer?.start(headers.traceparent, headers.tracestate) : undefined
  const trace = linesOfTrace(span, isTracing, headers)
  const parsed = {
    raw: request,
    protocol: protocolOf(request),
    method,
    sent,
    headers,
    trace,
    responseTrace: isTraced ? trace : '',
    span
  }
  const action =
    refusal !== undefined || isInvoke(sent.path)
      ? undefined
      : findRoute({method, path: cleanPath(sent.path), apiAccess: guards.apiAccess(headers.delegation)}, unescapeParam)
  const target =
    refusal === undefined && action === undefined
      ? findTarget(sent, headers.appId || idOfBasic(headers.authorization))
      : undefined
  return {...parsed, refusal, action, target}
}
