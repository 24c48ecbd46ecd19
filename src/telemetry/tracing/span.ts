import type {TraceContext} from './trace-context.ts'

/** A span that is over. */
export interface FinishedSpan {
  readonly name: string
  readonly kind: 'client' | 'server'
  readonly context: TraceContext
  /** '' = it is the first of its trace. */
  readonly parentSpanId: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly durationMs: number
  readonly attributes: Readonly<Record<string, string>>
  /** Why it counts as failed, '' = it does not. */
  readonly error: string
}

/** Of these Go has other words than Node, or none. */
const GO_WORDS: Readonly<Record<number, string>> = {
  413: 'Request Entity Too Large',
  414: 'Request URI Too Long',
  416: 'Requested Range Not Satisfiable',
  418: "I'm a teapot",
  425: 'Too Early',
  509: 'Unknown'
}

/** The error of a span by the status of its answer (Dapr: pkg/diagnostics/http_tracing.go, traceStatusFromHTTPCode). */
export function errorOf(status: number): string {
  if (status < 400) return ''
  // an import of node:http would load undici
  const {STATUS_CODES} = process.getBuiltinModule('node:http')
  return `Code(${status.toString()}): ${GO_WORDS[status] ?? STATUS_CODES[status] ?? 'Unknown'}`
}

/** A request at the API as its span tells it. */
export interface TracedRequest {
  readonly verb: string
  /** Decoded, without its query. */
  readonly path: string
  /** As it was sent. */
  readonly target: string
  readonly status: number
  /** Address and port that Dapr calls the server's: the caller's own. */
  readonly peer: {readonly address: string; readonly port: number}
  /** Names in small letters; those that begin with `dapr-` are told. Of equal names the last one counts. */
  readonly headers: Iterable<readonly [name: string, value: string]>
  /** The app that is called, '' = none. */
  readonly callee: string
  readonly method: string
}

/** The name of the span: Dapr calls that of an invocation after it, others after their path. */
export const spanName = ({callee, method, path}: Pick<TracedRequest, 'callee' | 'method' | 'path'>): string =>
  callee === '' ? path : `CallLocal/${callee}/${method}`

/** The attributes of the span, for those that are sampled. */
export function attributesOf(request: TracedRequest): Readonly<Record<string, string>> {
  const {verb, path, target, status, peer, headers, callee, method} = request
  const attributes: Record<string, string> = {}
  for (const [name, value] of headers) if (name.startsWith('dapr-') && value !== '') attributes[name] = value
  if (callee !== '') {
    attributes['rpc.service'] = 'ServiceInvocation'
    attributes['net.peer.name'] = callee
    attributes['dapr.invoke_method'] = method
  }
  attributes['dapr.protocol'] = 'http'
  attributes['dapr.api'] = `${verb} ${path}`
  attributes['dapr.status_code'] = status.toString()
  attributes['http.request.method'] = verb
  attributes['url.full'] = target
  attributes['server.address'] = peer.address
  attributes['server.port'] = peer.port.toString()
  return attributes
}

/** Takes the spans of one sidecar. */
export interface SpanSink {
  /** Never throws and never waits: of too many spans that wait to be sent the new ones are dropped. */
  add(span: FinishedSpan): void
  /** Sends what waits, for at most so long. */
  close(maxMs: number): Promise<void>
}

/** What an exporter needs of its sidecar. */
export interface ExporterOptions {
  readonly appId: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** A line of the sidecar's log, scope `dapr.runtime.trace`. */
  readonly log: (message: string) => void
  /** Told once by each exporter when it cannot send. */
  readonly warn: (message: string) => void
}
