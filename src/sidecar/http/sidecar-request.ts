import type {Reply} from '../../net/reply.ts'
import {baggageFault} from './baggage.ts'
import {readFields, type RequestFields} from './fields.ts'
import {badEscape, cleanPath, unescapePath, unescapeQuery} from './go-path.ts'
import {textOf} from './go-text.ts'
import {isToken, type IsAllowedHost} from '../../gateway/guards.ts'
import {BAD_TARGET, FOREIGN_HOST, INVALID_TOKEN, plainError} from './errors.ts'
import {findRoute, type Action} from './routes.ts'
import {findTarget, idOfBasic, splitTarget, type Sent, type Target} from './target.ts'
import {traceLines, traceOf, untraced} from './trace.ts'

/** A request, read: exactly one of refusal, action and target says what follows; none: nobody is named. */
export interface SidecarRequest {
  /** In capitals. */
  readonly method: string
  readonly sent: Sent
  readonly fields: RequestFields
  readonly refusal: Reply | undefined
  /** A route of the sidecar's own API. */
  readonly action: Action | undefined
  readonly target: Target | undefined
  /** For the callee. */
  readonly trace: string
  /** For the caller, where nobody else says one. */
  readonly answerTrace: string
}

interface ControlContext {
  readonly method: string
  readonly sent: Sent
  readonly fields: RequestFields
  readonly isTraced: boolean
}

/** Who may ask. */
export interface Guards {
  readonly isAllowedHost: IsAllowedHost
  /** DAPR_API_TOKEN, '' = none. */
  readonly apiToken: string
  /** Traces are made where there are none; false: they pass as they are. */
  readonly isTracing: boolean
}

const OPTIONS_OF_SERVER: Reply = {status: 200, type: '', body: '', lines: ''}

/** Health is asked without a token (Dapr: isRouteExcludedFromAPITokenAuth). */
const needsNoToken = (method: string, path: string): boolean =>
  method === 'GET' && /^\/*v1\.0\/healthz(?:\/outbound)?\/*$/.test(unescapePath(path))

/** Why a request is not even looked at. */
const refusalOf = (
  {sent: {authority, path}, fields, method, isTraced}: ControlContext,
  {isAllowedHost, apiToken}: Guards
): Reply | undefined => {
  const host = authority || fields.host
  if (host !== '' && !isAllowedHost(host)) return FOREIGN_HOST
  if (path === '*' && method === 'OPTIONS') return OPTIONS_OF_SERVER
  if (path.includes('%') && badEscape(path) !== undefined) return BAD_TARGET
  if (apiToken !== '' && !isToken(fields.apiToken, apiToken) && !needsNoToken(method, path)) return INVALID_TOKEN
  const fault = isTraced && fields.baggage.length > 0 ? baggageFault(fields.baggage.join(',')) : ''
  return fault === '' ? undefined : plainError(400, `invalid baggage header: ${fault}`)
}

/** What most calls are: their path says at once that no route of ours is meant. */
const isInvoke = (path: string): boolean => path.startsWith('/v1.0/invoke/')

const unescapeParam = (segment: string): string => textOf(unescapeQuery(segment) ?? segment)

/** What is read of a request. */
export interface Readable {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly rawHeaders: readonly string[]
}

/** Reads what a request asks for, and checks who may ask. Routes of the sidecar go before an app id beside the URL. */
export const readSidecarRequest = (request: Readable, appId: string, guards: Guards): SidecarRequest => {
  const method = request.method ?? ''
  const sent = splitTarget(request.url ?? '/')
  const fields = readFields(request.rawHeaders)
  const isTraced = guards.isTracing && !sent.path.includes('/healthz')
  const refusal = refusalOf({method, sent, fields, isTraced}, guards)
  if (guards.apiToken !== '') fields.apiToken = ''
  // What is not traced is not echoed either.
  if (!isTraced) fields.baggage = []
  const trace = isTraced ? traceLines(traceOf(fields.traceparent, fields.tracestate)) : untraced(fields)
  const parsed = {method, sent, fields, trace, answerTrace: isTraced ? trace : ''}
  const action =
    refusal !== undefined || isInvoke(sent.path)
      ? undefined
      : findRoute({method, path: cleanPath(sent.path), query: sent.query, appId}, unescapeParam)
  const target =
    refusal === undefined && action === undefined
      ? findTarget(sent, fields.appId || idOfBasic(fields.authorization))
      : undefined
  return {...parsed, refusal, action, target}
}
