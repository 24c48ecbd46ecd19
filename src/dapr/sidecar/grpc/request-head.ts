import {textCopy, FieldWalker, type HeaderField, type FieldSink, type FrameStream} from '#h2-frames'
import type {Call, SentRequest} from '../../../model/call.ts'
import type {Pool} from '../../../proxy/net/pool.ts'
import type {SidecarContext} from '../http/invocation.ts'
import type {Tracing} from '../http/sidecar-request.ts'

const METHOD = 1
const PATH = 2
const SCHEME = 3
const AUTHORITY = 4
const CONTENT_TYPE = 5
const TIMEOUT = 6
const CALLEE_ID = 7
const APP_ID = 8
const TOKEN = 9
const TRACEPARENT = 10
const TRACESTATE = 11
const TRACE_BIN = 12
const BAGGAGE = 13
const DELEGATION = 14
const USER_AGENT = 15
const ENCODING = 16
/** A header of the protocol, which goes with the messages that it describes. */
const PROTOCOL = 17
/** `dapr-stream`: metadata that the proxy reads, too. */
const STREAM = 20
/** Headers that a gateway passes on from its browser's request. */
const ORIGIN = 21
const FETCH_SITE = 22
/** Ours to say, or of no meaning in HTTP/2. */
const CUT = 18
/** Headers that are not allowed in HTTP/2 (RFC 9113 §8.2.2). */
const FORBIDDEN = 19

const KINDS: ReadonlyMap<string, number> = new Map([
  [':method', METHOD],
  [':path', PATH],
  [':scheme', SCHEME],
  [':authority', AUTHORITY],
  ['content-type', CONTENT_TYPE],
  ['grpc-timeout', TIMEOUT],
  ['dapr-callee-app-id', CALLEE_ID],
  ['dapr-app-id', APP_ID],
  ['dapr-api-token', TOKEN],
  ['traceparent', TRACEPARENT],
  ['tracestate', TRACESTATE],
  ['grpc-trace-bin', TRACE_BIN],
  ['baggage', BAGGAGE],
  ['pillion-caller', DELEGATION],
  ['user-agent', USER_AGENT],
  ['grpc-encoding', ENCODING],
  ['grpc-accept-encoding', PROTOCOL],
  ['grpc-message-type', PROTOCOL],
  ['dapr-stream', STREAM],
  ['origin', ORIGIN],
  ['sec-fetch-site', FETCH_SITE],
  ['dapr-caller-app-id', CUT],
  ['dapr-caller-namespace', CUT],
  ['destination-app-id', CUT],
  ['te', CUT],
  ['host', CUT],
  ['content-length', CUT],
  ['connection', FORBIDDEN],
  ['keep-alive', FORBIDDEN],
  ['proxy-connection', FORBIDDEN],
  ['transfer-encoding', FORBIDDEN],
  ['upgrade', FORBIDDEN]
])

/** One value, or several behind each other (gRPC over HTTP/2, Binary-Header). */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}(?:,[A-Za-z0-9+/]*={0,2})*$/
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/

/** Dapr's values for true (kit/utils, IsTruthy). */
const IS_TRUE = /^(?:y|yes|true|t|on|1)$/i

/** The form of a head for one callee. */
export interface Forwarded {
  readonly pool: Pool
  readonly caller: string
  readonly block: string
  /** The head is sent once more. */
  isRepeated: boolean
}

/** The head of a call, read. '' = not there; where a field comes more than once, the first value counts. */
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
  /** Fields that describe the messages: they go with them, and no further. */
  protocol = ''
  /** The trace as it was sent, as fields. */
  trace = ''
  /** The caller says that the call is a stream (Dapr: pkg/api/grpc/proxy). */
  isStream = false
  /** Binary metadata that is not valid base64. */
  isBadBinary = false
  /** The head breaks the rules of HTTP/2. */
  isMalformed = false
  /** Larger than what is taken. */
  isTooLarge = false
  /** The head was checked, and is valid. */
  isFine = false
  /** The request for the record, created on first access. */
  brief: SentRequest | undefined
  whole: SentRequest | undefined
  /** The call that the proxy makes of it; undefined: it makes none. */
  call: Call | undefined
  /** The form for the latest callee. */
  #forwarded: Forwarded | undefined
  /** The block as it came, if it is remembered. */
  block = ''
  #seen = 0
  #hasMetadata = false

  field(field: HeaderField): void {
    const {name} = field
    const kind = KINDS.get(name)
    if (kind === undefined) {
      this.#hasMetadata = true
      if (name.charCodeAt(0) === 58 || !NAME.test(name)) this.isMalformed = true
      else if (name.startsWith('grpc-')) this.protocol += field.bytes
      else this.metadata += field.bytes
      if (name.endsWith('-bin') && !BASE64.test(field.value())) this.isBadBinary = true
      return
    }
    if (kind <= AUTHORITY) return this.#pseudo(kind, field)
    this.#hasMetadata = true
    this.#known(kind, field)
  }

  #pseudo(kind: number, field: HeaderField): void {
    if (this.#hasMetadata || (this.#seen & (1 << kind)) !== 0) this.isMalformed = true
    this.#seen |= 1 << kind
    if (kind === METHOD) this.method = this.#textOf(field)
    else if (kind === PATH) this.path = this.#textOf(field)
    else if (kind === AUTHORITY) this.authority = this.#textOf(field)
  }

  #known(kind: number, field: HeaderField): void {
    switch (kind) {
      case CONTENT_TYPE:
        this.contentType ||= this.#textOf(field)
        return
      case TIMEOUT:
        this.timeout ||= this.#textOf(field)
        return
      case CALLEE_ID:
        this.calleeId ??= this.#textOf(field)
        return
      case APP_ID:
        this.appId ??= this.#textOf(field)
        return
      case TOKEN:
        this.token ??= this.#textOf(field)
        return
      case TRACEPARENT:
        this.traceparent ||= this.#textOf(field)
        this.trace += field.bytes
        return
      case TRACESTATE:
        this.tracestate ||= this.#textOf(field)
        this.trace += field.bytes
        return
      case TRACE_BIN:
        this.traceBin ||= this.#textOf(field)
        this.trace += field.bytes
        return
      case BAGGAGE:
        this.baggage += (this.baggage === '' ? '' : ',') + this.#textOf(field)
        this.metadata += field.bytes
        return
      case DELEGATION:
        this.delegation ||= this.#textOf(field)
        return
      case USER_AGENT:
        this.userAgent ||= this.#textOf(field)
        this.protocol += field.bytes
        return
      case ENCODING:
        this.encoding ||= this.#textOf(field)
        this.protocol += field.bytes
        return
      case STREAM:
        this.isStream ||= IS_TRUE.test(this.#textOf(field))
        this.metadata += field.bytes
        return
      case ORIGIN:
        this.origin ||= this.#textOf(field)
        this.metadata += field.bytes
        return
      case FETCH_SITE:
        this.fetchSite ||= this.#textOf(field)
        this.metadata += field.bytes
        return
      case PROTOCOL:
        this.protocol += field.bytes
        return
      case FORBIDDEN:
        this.isMalformed = true
        return
      default: // cut
    }
  }

  /** A text that the sidecar reads: an HTTP app may get it as a line (RFC 9113 §8.2.1: a value has no line end). */
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
    const needed = (1 << METHOD) | (1 << PATH) | (1 << SCHEME)
    return (this.#seen & needed) === needed
  }
}

/** Whether metadata of this name is true; the first value counts. */
export const isMarked = ({metadata}: RequestHead, name: string): boolean => {
  let first: string | undefined
  new FieldWalker().walk(metadata, {
    field: field => {
      if (field.name === name) first ??= field.value()
    }
  })
  return IS_TRUE.test(first ?? '')
}

/** Heads that one connection remembers. */
const MAX_KNOWN = 16

/** Reads the heads of one connection. A client says the same again and again: what is equal is read once. */
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
    // a copy: what is cut out of it would keep all that came with it
    const own = textCopy(block)
    this.#walker.walk(own, head)
    head.isTooLarge = this.#walker.listSize > this.#maxBytes
    if (!head.isWhole) head.isMalformed = true
    // a deadline and a trace are other ones each time
    if (this.#walker.isPlain && head.timeout === '' && head.trace === '') {
      if (this.#known.size === MAX_KNOWN) this.#known.clear()
      head.block = own
      this.#known.set(own, head)
    }
    return head
  }
}

/** A call of gRPC that a sidecar has received, before its callee is known. */
export interface ReceivedCall {
  readonly sidecar: SidecarContext
  readonly head: RequestHead
  readonly caller: FrameStream
  /** When it must be over, as `performance.now()`; Infinity: it has no deadline. */
  readonly deadline: number
  readonly tracing: Tracing
}
