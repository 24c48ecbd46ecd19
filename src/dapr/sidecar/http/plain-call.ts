import {DROP, nameReader} from '../../../proxy/net/http1/header-kinds.ts'
import type {FastConnection} from '../../../proxy/net/http1/fast-connection.ts'
import {
  NOTED,
  OTHER,
  PLAIN_KINDS,
  TAKEN,
  type PlainRequest,
  type PlainRules
} from '../../../proxy/net/http1/plain-request.ts'
import {RENAMED, withGrpc} from './headers.ts'
import {isToken} from '../../../proxy/gateway/guards.ts'
import {Invocation, type SidecarContext} from './invocation.ts'
import type {Guards} from './sidecar-request.ts'
import type {PlainBlocks} from './plain-block.ts'
import {isInvoke, findPlainTarget, type Target} from './target.ts'
import {linesOfTrace, traceLines} from './trace.ts'

/*
 * The fast path: serves plain requests without node:http, by the rules of `sidecar-request.ts`. node:http reads requests that will be
 * refused, that are for the sidecar's own API except building blocks, or that have a rare form.
 */

/* Indexes of values that the parser of plain requests reports. */
const HOST = 0
const APP_ID = 1
const API_TOKEN = 2
const TRACEPARENT = 3
const TRACESTATE = 4
const AUTHORIZATION = 5

/** How the fast path handles a request's headers. */
export const plainRules: PlainRules = {
  kinds: withGrpc(
    nameReader({
      ...PLAIN_KINDS,
      baggage: OTHER,
      // requests that a web page may have sent are checked outside the fast path
      origin: OTHER,
      'sec-fetch-site': OTHER,
      'pillion-caller': OTHER,
      'pillion-invoke': OTHER,
      'dapr-caller-app-id': DROP,
      'dapr-caller-namespace': DROP,
      'dapr-callee-app-id': DROP,
      'destination-app-id': DROP,
      host: TAKEN + HOST,
      'dapr-app-id': TAKEN + APP_ID,
      'dapr-api-token': TAKEN + API_TOKEN,
      traceparent: TAKEN + TRACEPARENT,
      tracestate: TAKEN + TRACESTATE,
      authorization: NOTED + AUTHORIZATION
    })
  ),
  prefix: RENAMED,
  valueCount: 6
}

const NO_BAGGAGE: readonly string[] = []

/** Returns the headers that the parser reports, by name. */
export const plainValues = ({values}: PlainRequest) => ({
  host: values[HOST] ?? '',
  appId: values[APP_ID] ?? '',
  apiToken: values[API_TOKEN] ?? '',
  traceparent: values[TRACEPARENT] ?? '',
  tracestate: values[TRACESTATE] ?? '',
  authorization: values[AUTHORIZATION] ?? ''
})

/** Starts the calls of plain requests through one sidecar. Returns false, without effect, if node:http has to handle the request. */
export class PlainCalls {
  readonly #sidecar: SidecarContext
  readonly #blocks: PlainBlocks
  readonly #targets = new KnownTargets()

  constructor(sidecar: SidecarContext, blocks: PlainBlocks) {
    this.#sidecar = sidecar
    this.#blocks = blocks
  }

  start(
    {isAllowedHost, apiToken, tracing: {isTracing, tracer}, apiAccess}: Guards,
    request: PlainRequest,
    connection: FastConnection
  ): boolean {
    const {path, query, lines, length, values} = request
    if (!isAllowedHost(values[HOST] ?? '') || values[AUTHORIZATION]?.startsWith('Basic ') === true) return false
    if (apiAccess('') !== undefined) return false
    // node:http serves health checks, which are not traced
    if (isTracing && path.includes('/healthz')) return false
    const token = values[API_TOKEN] ?? ''
    if (apiToken !== '' && !isToken(token, apiToken)) return false
    const isOwn = path.startsWith('/v1.0') && !isInvoke(path)
    const call = isOwn ? this.#blocks.find(request) : undefined
    const target = isOwn ? undefined : this.#targets.find(path, query, values[APP_ID] ?? '')
    if (target === undefined && call === undefined) return false
    const traceparent = values[TRACEPARENT] ?? ''
    const tracestate = values[TRACESTATE] ?? ''
    const span = tracer?.start(traceparent, tracestate)
    const trace = linesOfTrace(span, isTracing, {traceparent, tracestate})
    const responseTrace = isTracing ? trace : ''
    if (target === undefined) {
      const sent = lines + traceLines({traceparent, tracestate})
      if (call !== undefined)
        void this.#blocks.start({request, call, lines: sent, trace, responseTrace, span}, connection)
      return true
    }
    const framing = request.hasLength ? `Content-Length: ${length}\r\n` : ''
    new Invocation({
      sidecar: this.#sidecar,
      request,
      target,
      headers: {lines, length, framing, apiToken: apiToken === '' ? token : '', baggage: NO_BAGGAGE},
      trace,
      responseTrace,
      spans: span && tracer && {own: span, callee: tracer.startChild(span)},
      extraLines: '',
      ends: connection.ends,
      exchange: handler => connection.begin(handler)
    }).start()
    return true
  }
}

/** Number of remembered targets: an app calls the same few again and again. */
const COUNT = 8

interface Known {
  readonly path: string
  readonly query: string
  readonly givenId: string
  readonly target: Target
}

/** Remembers the latest targets of one sidecar's calls. Equal targets share their strings, whose hashes V8 computes only once. */
class KnownTargets {
  readonly #known: Known[] = []
  #next = 0

  find(path: string, query: string, givenId: string): Target | undefined {
    for (const known of this.#known)
      if (known.path === path && known.query === query && known.givenId === givenId) return known.target
    const target = findPlainTarget(path, query, givenId)
    if (target === undefined) return undefined
    this.#known[this.#next] = {path, query, givenId, target}
    this.#next = (this.#next + 1) % COUNT
    return target
  }
}
