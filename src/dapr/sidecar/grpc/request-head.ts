import {textCopy, FieldWalker, isFieldName, type HeaderField, type FieldSink, type FrameStream} from '#h2-frames'
import type {Call, SentRequest} from '../../../model/call.ts'
import type {Pool} from '../../../proxy/net/pool.ts'
import type {SidecarContext} from '../http/invocation.ts'
import type {Tracing} from '../http/sidecar-request.ts'

type Read =
  | 'contentType'
  | 'timeout'
  | 'calleeId'
  | 'appId'
  | 'token'
  | 'traceparent'
  | 'tracestate'
  | 'traceBin'
  | 'delegation'
  | 'userAgent'
  | 'encoding'
  | 'origin'
  | 'fetchSite'

/** The part of the head in which a field is passed on unchanged; '': not passed on: the sidecar sets it, or HTTP/2 has no use for it. */
type Part = 'metadata' | 'protocol' | 'trace' | ''

/** The pseudo-header fields of a request, each with its bit in `#seen`. */
const PSEUDO: ReadonlyMap<string, number> = new Map([
  [':method', 1],
  [':path', 2],
  [':scheme', 4],
  [':authority', 8]
])
/** Every request has these: `:method`, `:path`, `:scheme`. */
const NEEDED = 7

const KNOWN = new Map<string, readonly [part: Part, read?: Read]>([
  ['content-type', ['', 'contentType']],
  ['grpc-timeout', ['', 'timeout']],
  ['dapr-callee-app-id', ['', 'calleeId']],
  ['dapr-app-id', ['', 'appId']],
  ['dapr-api-token', ['', 'token']],
  ['traceparent', ['trace', 'traceparent']],
  ['tracestate', ['trace', 'tracestate']],
  ['grpc-trace-bin', ['trace', 'traceBin']],
  ['pillion-caller', ['', 'delegation']],
  // headers that a gateway passes on from its browser's request
  ['origin', ['metadata', 'origin']],
  ['sec-fetch-site', ['metadata', 'fetchSite']],
  // headers of gRPC itself, sent on only with unchanged messages
  ['user-agent', ['protocol', 'userAgent']],
  ['grpc-encoding', ['protocol', 'encoding']],
  ['grpc-accept-encoding', ['protocol']],
  ['grpc-message-type', ['protocol']],
  ...['dapr-caller-app-id', 'dapr-caller-namespace', 'destination-app-id', 'te', 'host', 'content-length'].map(
    (name): [string, readonly ['']] => [name, ['']]
  )
])

/** A value, or several separated by commas (gRPC over HTTP/2, Binary-Header). */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}(?:,[A-Za-z0-9+/]*={0,2})*$/

/** Dapr's values for true (kit/utils, IsTruthy). */
const IS_TRUE = /^(?:y|yes|true|t|on|1)$/i

/** The encoded head for one callee and caller, kept for equal requests. */
export interface Forwarded {
  readonly pool: Pool
  readonly caller: string
  readonly block: string
  /** The head is sent once more. */
  isRepeated: boolean
}

/** The head of a call. A missing field is an empty string; the first value of a repeated field counts. */
export class RequestHead implements FieldSink {
  method = ''
  path = ''
  authority = ''
  contentType = ''
  timeout = ''
  calleeId: string | undefined
  appId: string | undefined
  token: string | undefined
  traceparent = ''
  tracestate = ''
  traceBin = ''
  baggage = ''
  delegation = ''
  origin = ''
  fetchSite = ''
  userAgent = ''
  encoding = ''
  /** The caller's metadata, as fields. */
  metadata = ''
  /** Fields about the messages' encoding, passed on only with the messages themselves. */
  protocol = ''
  /** The caller's trace, as fields. */
  trace = ''
  /** Whether the caller declares the call as a stream (Dapr: pkg/api/grpc/proxy). */
  isStream = false
  /** Binary metadata that is not valid base64. */
  isBadBinary = false
  /** The head breaks the rules of HTTP/2. */
  isMalformed = false
  /** Larger than the limit. */
  isTooLarge = false
  isFine = false
  /** The request for the record, created on first access. */
  brief: SentRequest | undefined
  whole: SentRequest | undefined
  /** The call of the proxy for this head, if there is one. */
  call: Call | undefined
  /** The head as it was last passed on, with its callee and caller. */
  #forwarded: Forwarded | undefined
  /** The encoded block, if it is remembered. */
  block = ''
  #seen = 0
  #hasMetadata = false

  field(field: HeaderField): void {
    const {name, bytes} = field
    const pseudo = PSEUDO.get(name)
    if (pseudo !== undefined) return this.#pseudo(pseudo, field)
    this.#hasMetadata = true
    const known = KNOWN.get(name)
    if (known === undefined) return this.#other(field)
    const [part, read] = known
    if (part !== '') this[part] += bytes
    // these keep their first value, even an empty one
    if (read === 'calleeId' || read === 'appId' || read === 'token') this[read] ??= this.#textOf(field)
    else if (read !== undefined) this[read] ||= this.#textOf(field)
  }

  #other(field: HeaderField): void {
    const {name, bytes} = field
    if (!isFieldName(name)) this.isMalformed = true
    else if (name.startsWith('grpc-')) this.protocol += bytes
    else this.metadata += bytes
    if (name === 'baggage') this.baggage += (this.baggage === '' ? '' : ',') + this.#textOf(field)
    else if (name === 'dapr-stream') this.isStream ||= IS_TRUE.test(field.value())
    else if (name.endsWith('-bin') && !BASE64.test(field.value())) this.isBadBinary = true
  }

  #pseudo(bit: number, field: HeaderField): void {
    if (this.#hasMetadata || (this.#seen & bit) !== 0) this.isMalformed = true
    this.#seen |= bit
    if (field.name === ':method') this.method = this.#textOf(field)
    else if (field.name === ':path') this.path = this.#textOf(field)
    else if (field.name === ':authority') this.authority = this.#textOf(field)
  }

  /** Returns a field's text for the sidecar. An app of HTTP may get it as a line, so line ends are refused (RFC 9113 §8.2.1). */
  #textOf(field: HeaderField): string {
    const text = field.value()
    if (/[\0\r\n]/.test(text)) this.isMalformed = true
    return text
  }

  /** The remembered form for this callee: equal heads of a client are passed on equally. */
  forwardedTo(pool: Pool, caller: string): Forwarded | undefined {
    const known = this.#forwarded
    if (known?.pool !== pool || known.caller !== caller) return undefined
    known.isRepeated = true
    return known
  }

  /** Remembers the block that the head has for a callee. */
  forward(pool: Pool, caller: string, block: string): Forwarded {
    // a flat text: it is looked up for each call
    return (this.#forwarded = {pool, caller, block: textCopy(block), isRepeated: false})
  }

  /** Every request has these. */
  get isWhole(): boolean {
    return (this.#seen & NEEDED) === NEEDED
  }
}

/** Whether metadata of this name are true; the first value counts. */
export const isMarked = ({metadata}: RequestHead, name: string): boolean => {
  let first: string | undefined
  new FieldWalker().walk(metadata, {
    field: field => {
      if (field.name === name) first ??= field.value()
    }
  })
  return IS_TRUE.test(first ?? '')
}

/** Maximum number of remembered heads per connection. */
const MAX_KNOWN = 16

/** Reads the heads of one connection. Remembers them: a client repeats equal heads. */
export class HeadReader {
  readonly #walker: FieldWalker
  readonly #maxBytes: number
  readonly #known = new Map<string, RequestHead>()
  #latest: RequestHead | undefined

  constructor(walker: FieldWalker, maxBytes: number) {
    this.#walker = walker
    this.#maxBytes = maxBytes
  }

  read(block: string): RequestHead {
    // a comparison costs less than a hash
    if (block === this.#latest?.block) return this.#latest
    const known = this.#known.get(block)
    if (known !== undefined) return (this.#latest = known)
    const head = new RequestHead()
    // copies the text: a slice would keep the whole received piece in memory
    const own = textCopy(block)
    this.#walker.walk(own, head)
    head.isTooLarge = this.#walker.listSize > this.#maxBytes
    if (!head.isWhole) head.isMalformed = true
    // a head with a deadline or a trace is never repeated
    if (this.#walker.isPlain && head.timeout === '' && head.trace === '') {
      if (this.#known.size === MAX_KNOWN) this.#known.clear()
      head.block = own
      this.#known.set(own, head)
    }
    return head
  }
}

/** An answer repeats the type of its request (grpc-go). */
export const answerType = ({contentType}: RequestHead): string =>
  contentType.startsWith('application/grpc') ? contentType : 'application/grpc'

/** A call of gRPC that a sidecar has received, before its callee is known. */
export interface ReceivedCall {
  readonly sidecar: SidecarContext
  readonly head: RequestHead
  readonly caller: FrameStream
  /** When it must be over, as `performance.now()`; Infinity: it has no deadline. */
  readonly deadline: number
  readonly tracing: Tracing
}
