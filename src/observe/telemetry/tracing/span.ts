import type {Environment} from '../../../model/environment.ts'
import {operationAt} from '../../../model/dapr/api/routes.ts'
import type {SpanActor, TraceContext} from '../../../model/call.ts'
import type {WorkSpan} from '../../../model/work-event.ts'
import {statusText} from '../../../proxy/net/status.ts'

export interface FinishedSpan extends Omit<WorkSpan, 'traceparent'> {
  readonly context: TraceContext
}

/** Returns the error of a span by the response status (Dapr: pkg/diagnostics/http_tracing.go, traceStatusFromHTTPCode). */
export const errorOf = (status: number): string =>
  status < 400 ? '' : `Code(${status}): ${statusText(status) ?? 'Unknown'}`

/** The attributes of a request to the API. */
export interface TracedRequest {
  readonly verb: string
  /** Decoded, without its query. */
  readonly path: string
  readonly target: string
  readonly status: number
  /** The address and port that Dapr records as the server's: the caller's own. */
  readonly peer: {readonly address: string; readonly port: number}
  /** Headers with lower-case names; those with `dapr-` are recorded. The last of equal names counts. */
  readonly headers: Iterable<readonly [name: string, value: string]>
  /** The called app; may be empty. */
  readonly callee: string
  readonly method: string
  /** Actor of a gRPC call. Omitted if the path names it. */
  readonly actor?: SpanActor | undefined
}

/** Returns the name of the span: Dapr uses the callee and method of an invocation, the type and method of an actor, else the path. */
export function spanName(traced: Pick<TracedRequest, 'verb' | 'callee' | 'method' | 'path' | 'actor'>): string {
  const {verb, callee, method, path, actor} = traced
  return callee === '' ? (actor?.name ?? actorIn(verb, path)?.name ?? path) : `CallLocal/${callee}/${method}`
}

/** Type and id of an actor, and the method if one is called. */
const ACTOR = /^\/v1\.0\/actors\/([^/]+)\/([^/]+)\/(?:method\/(.+))?/

/** Returns the actor of a request, if any. */
function actorIn(verb: string, path: string): SpanActor | undefined {
  const [, type = '', id = '', method] = ACTOR.exec(path) ?? []
  if (type === '') return undefined
  if (method !== undefined) return {type, id, name: `CallActor/${type}/${method}`}
  const {operation} = operationAt(verb, path) ?? {}
  return operation && {type, id, name: `${operation.name}/${type}`}
}

/** Returns the attributes of a request about an actor (Dapr: pkg/api/http/actors.go, append…SpanAttributes). */
function actorAttributes({type, id, name}: SpanActor): Readonly<Record<string, string>> {
  const whole = `${type}.${id}`
  const isCall = name.startsWith('CallActor/')
  return {'dapr.actor': whole, ...(isCall && {'rpc.service': 'ServiceInvocation', 'net.peer.name': whole})}
}

/** Returns the attributes of a sampled span. */
export function attributesOf(request: TracedRequest): Readonly<Record<string, string>> {
  const {verb, path, target, status, peer, headers, callee, method} = request
  const attributes = ownAttributes(headers)
  if (callee !== '') {
    attributes['rpc.service'] = 'ServiceInvocation'
    attributes['net.peer.name'] = callee
    attributes['dapr.invoke_method'] = method
  }
  const actor = callee === '' ? actorIn(verb, path) : undefined
  if (actor !== undefined) Object.assign(attributes, actorAttributes(actor))
  Object.assign(attributes, blockAttributes(verb, path))
  attributes['dapr.protocol'] = 'http'
  attributes['dapr.api'] = `${verb} ${path}`
  attributes['dapr.status_code'] = status.toString()
  attributes['http.request.method'] = verb
  attributes['url.full'] = target
  attributes['server.address'] = peer.address
  attributes['server.port'] = peer.port.toString()
  return attributes
}

/** Returns the attributes of a call to a building block (Dapr: pkg/api/http, append…SpanAttributes). */
function blockAttributes(verb: string, path: string): Readonly<Record<string, string>> {
  if (/^\/v1\.0\/actors\/[^/]+\/[^/]+\/state(?:\/|$)/.test(path)) return stateAttributes(verb, path, 'actor')
  const [, block = '', name = '', topic = ''] =
    /^\/v1\.0(?:-alpha1)?\/(state|bindings|publish)\/(?:bulk\/(?=[^/]+\/))?([^/]+)(?:\/(.*))?$/.exec(path) ?? []
  if (block === '') return {}
  if (block === 'publish') return {'messaging.system': 'pubsub', 'messaging.destination.name': topic}
  return stateAttributes(verb, path, name, block)
}

const stateAttributes = (
  verb: string,
  path: string,
  name: string,
  block = 'state'
): Readonly<Record<string, string>> => ({
  'db.system': block,
  'db.connection_string': block,
  'db.statement': `${verb} ${path}`,
  'db.name': name
})

/** Returns the attributes that callers add themselves. */
function ownAttributes(headers: TracedRequest['headers']): Record<string, string> {
  const attributes: Record<string, string> = {}
  // oxlint-disable-next-line pillion/user-words -- these begin with dapr-
  for (const [name, value] of headers) if (name.startsWith('dapr-') && value !== '') attributes[name] = value
  return attributes
}

/** Returns the attributes of a sampled span of a gRPC call (Dapr: pkg/diagnostics/grpc_tracing.go). `isServer`: of the callee's sidecar. */
export function grpcAttributesOf(
  {path, callee, method, headers, actor}: TracedRequest,
  {isProxied, isServer}: {readonly isProxied: boolean; readonly isServer: boolean}
): Readonly<Record<string, string>> {
  const attributes = ownAttributes(headers)
  if (isProxied) return attributes
  if (callee !== '') {
    attributes['rpc.service'] = 'ServiceInvocation'
    if (isServer) attributes['dapr.invoke_method'] = method
    else attributes['net.peer.name'] = callee
  }
  if (actor !== undefined) Object.assign(attributes, actorAttributes(actor))
  attributes['dapr.protocol'] = 'grpc'
  attributes['dapr.api'] = path
  return attributes
}

/** Receives the spans of one sidecar. */
export interface SpanSink {
  /** Queues a span. Never throws or waits: drops the span if the queue is full. */
  add(span: FinishedSpan): void
  /** Sends the queued spans, for at most `maxMs`. */
  close(maxMs: number): Promise<void>
}

/** The parts of a sidecar that an exporter needs. */
export interface SpanExporterOptions {
  readonly appId: string
  readonly env: Environment
  /** Writes a line to the sidecar's log, scope `dapr.runtime.trace`. */
  readonly log: (message: string) => void
  /** Called by each exporter when it cannot send, once until it succeeds again. */
  readonly warn: (message: string) => void
}
