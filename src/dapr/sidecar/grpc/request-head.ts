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

/** The part of the head that collects a field to pass it on; '': it is not passed on, since the sidecar or HTTP/2 sets it. */
type Part = 'metadata' | 'protocol' | 'trace' | ''

/** The pseudo-header fields of a request, each with a bit of the mask of fields that were read. */
const PSEUDO: ReadonlyMap<string, number> = new Map([
  [':method', 1],
  [':path', 2],
  [':scheme', 4],
  [':authority', 8]
])
/** Mask of the fields that every request needs: `:method`, `:path`, `:scheme`. */
const NEEDED = 7

/** How known fields are handled: the part that they are passed on in, and the property that stores their value. */
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

/** The encoded first fields of a request for one callee, kept for equal requests of the caller. */
export interface Forwarded {
  readonly pool: Pool
  readonly caller: string
  readonly block: string
  /** Whether the block has been sent before. */
  isRepeated: boolean
}

/** The head of a call. A missing field is '' or undefined. Of a repeated field the first value counts. */
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
  /** The caller's metadata, as encoded fields. */
  metadata = ''
  /** Encoded fields about the encoding of messages, passed on only with unchanged messages. */
  protocol = ''
  /** The caller's trace, as encoded fields. */
  trace = ''
  /** Whether the caller declares the call as a stream by `dapr-stream` (Dapr: pkg/api/grpc/proxy). */
  isStream = false
  /** Whether binary metadata are not valid base64. */
  isBadBinary = false
  /** Whether the head breaks the rules of HTTP/2. */
  isMalformed = false
  isTooLarge = false
  /** Whether the checks of an equal head passed, and need not be repeated. */
  isFine = false
  /** The request for the record with little or all metadata, made when it is first needed. */
  brief: SentRequest | undefined
  whole: SentRequest | undefined
  /** The call that the proxy made of this head, kept for equal heads. */
  call: Call | undefined
  /** The fields that were last sent to a callee for this head. */
  #forwarded: Forwarded | undefined
  /** The block that the head was decoded from; '': the head is not kept. */
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
    // of these the first value counts, even an empty one
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

  /** Returns the value of a field. Refuses line ends (RFC 9113 §8.2.1): an HTTP app may get the value in a header line. */
  #textOf(field: HeaderField): string {
    const text = field.value()
    if (/[\0\r\n]/.test(text)) this.isMalformed = true
    return text
  }

  /** Returns the fields that an equal head was sent with to this callee; undefined: the latest one had another callee or caller. */
  forwardedTo(pool: Pool, caller: string): Forwarded | undefined {
    const known = this.#forwarded
    if (known?.pool !== pool || known.caller !== caller) return undefined
    known.isRepeated = true
    return known
  }

  /** Remembers the fields that the head is sent with to a callee. */
  forward(pool: Pool, caller: string, block: string): Forwarded {
    // a flat text, since each call compares it
    return (this.#forwarded = {pool, caller, block: textCopy(block), isRepeated: false})
  }

  /** Whether the head has all fields that every request needs. */
  get isWhole(): boolean {
    return (this.#seen & NEEDED) === NEEDED
  }
}

/** Whether the first metadata value of this name is one of Dapr's values for true. */
export const isMarked = ({metadata}: RequestHead, name: string): boolean => {
  let first: string | undefined
  new FieldWalker().walk(metadata, {
    field: field => {
      if (field.name === name) first ??= field.value()
    }
  })
  return IS_TRUE.test(first ?? '')
}

const MAX_KNOWN = 16

/** Decodes the heads of one connection. Keeps decoded heads, since a client repeats equal ones. */
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
    // a head with a deadline or a trace is not kept, since no other head equals it
    if (this.#walker.isPlain && head.timeout === '' && head.trace === '') {
      if (this.#known.size === MAX_KNOWN) this.#known.clear()
      head.block = own
      this.#known.set(own, head)
    }
    return head
  }
}

/** Returns the content type of an answer: that of its request, as in grpc-go. */
export const answerType = ({contentType}: RequestHead): string =>
  contentType.startsWith('application/grpc') ? contentType : 'application/grpc'

/** A gRPC call that a sidecar has received, before its callee is known. */
export interface ReceivedCall {
  readonly sidecar: SidecarContext
  readonly head: RequestHead
  readonly caller: FrameStream
  /** Deadline, in ms of performance.now(); Infinity: none. */
  readonly deadline: number
  readonly tracing: Tracing
}
