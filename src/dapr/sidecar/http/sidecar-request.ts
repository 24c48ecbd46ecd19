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

/** A parsed request. At most one of `refusal`, `action` and `target` is defined; if none is, the request names no app. */
export interface SidecarRequest {
  readonly raw: ParsedHead
  readonly protocol: Protocol
  /** The method in upper case. */
  readonly method: string
  readonly sent: Sent
  readonly headers: RequestHeaders
  /** The response to a request that is refused, or needs no more than a fixed response. */
  readonly refusal: Reply | undefined
  /** The route of the sidecar's own API. */
  readonly action: RouteAction | undefined
  readonly target: Target | undefined
  /** Trace headers for the callee. */
  readonly trace: string
  /** Trace headers for the caller, if the app's response has none. */
  readonly responseTrace: string
  readonly span: CallSpan | undefined
}

/** How the sidecar handles traces. May change from request to request. */
export interface Tracing {
  /** Whether the sidecar continues traces, or begins them. Otherwise trace headers are passed on unchanged. */
  readonly isTracing: boolean
  /** Starts spans; undefined: no spans, so a request keeps its trace, or gets a new one. */
  readonly tracer: Tracer | undefined
}

/** Access checks of a sidecar. */
export interface Guards {
  readonly isAllowedHost: IsAllowedHost
  /** DAPR_API_TOKEN; '': none. */
  readonly apiToken: string
  readonly tracing: Tracing
  /** Returns the API access rules for the app in a `pillion-caller` header; undefined: all APIs. `delegation` '': the own app. */
  readonly apiAccess: (delegation: string) => ApiAccess | undefined
}

const OPTIONS_OF_SERVER: Reply = {status: 200, type: '', body: '', lines: ''}

/** Whether a request needs no token: health checks (Dapr: isRouteExcludedFromAPITokenAuth). */
const isTokenFree = (method: string, path: string): boolean =>
  method === 'GET' && /^\/*v1\.0\/healthz(?:\/outbound)?\/*$/.test(unescapePath(path))

/** Returns the response to a request that is refused, or that is `OPTIONS *`; undefined: the request is served. */
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
