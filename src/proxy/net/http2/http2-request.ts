import {
  CANCEL,
  codeName,
  DISCARDED,
  encodeField,
  encodeNamed,
  type FieldSink,
  type FieldWalker,
  type FrameClient,
  type FrameClients,
  type FrameStream,
  type HeaderField,
  isFieldName,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  type StreamHandler,
  type Waiter
} from '#h2-frames'
import {type SharedCallee, UpstreamError} from '../dialer.ts'
import {clientsOf, takeFirst} from '../grpc/clients-of.ts'
import {heldWith} from '../grpc/sent-messages.ts'
import {MAX_INTERIM, TOO_MANY_INTERIM} from '../http1/response-head.ts'
import type {AdaptedRequest, Connect, RemoteSink, RequestBody} from '../remote-side.ts'
import {BAD_VALUE} from './http2-head.ts'

/** Reads the head of a response into the form of HTTP/1. */
class ResponseFields implements FieldSink {
  status = ''
  isMalformed = false
  readonly pairs: string[] = []

  field(field: HeaderField): void {
    const {name} = field
    const value = field.value()
    if (name === ':status' && this.status === '' && this.pairs.length === 0) this.status = value
    else if (!isFieldName(name) || BAD_VALUE.test(value)) this.isMalformed = true
    else this.pairs.push(name, value)
  }
}

/** A request to a callee over HTTP/2 (RFC 9113 §8), on a connection that many requests share. */
export class Http2Request implements StreamHandler, Waiter, RequestBody {
  readonly #clients: FrameClients
  readonly #fields: string
  readonly #hasBody: boolean
  readonly #sink: RemoteSink
  #stream: FrameStream | undefined
  #walker: FieldWalker | undefined
  #wasUsed = false
  /** Pieces of the body that arrived before the stream was open. */
  #early: string[] = []
  #isSent: boolean
  /** Body so far, to be sent again on another connection; undefined: too large to be kept. */
  #held: string | undefined = ''
  /** Bytes of the body that the callee has not accepted yet. */
  #unsent = 0
  /** Bytes of the response that the caller has not accepted yet. */
  #untaken = 0
  #interim = 0
  #hasHead = false

  /** `authority`: host for a request without a Host header. */
  constructor(
    clients: FrameClients,
    authority: string,
    {method, path, pairs, hasBody}: AdaptedRequest,
    sink: RemoteSink
  ) {
    this.#clients = clients
    this.#fields = fieldsOf(method, path, authority, pairs)
    this.#hasBody = hasBody
    this.#isSent = !hasBody
    this.#sink = sink
    clients.take(this)
  }

  write(bytes: Buffer | undefined, isLast: boolean): boolean {
    const text = bytes?.toString('latin1') ?? ''
    this.#unsent += text.length
    this.#isSent = isLast
    this.#held = heldWith(this.#held, text)
    if (this.#stream === undefined) this.#early.push(text)
    else this.#stream.writeData(text, isLast)
    return this.#unsent === 0
  }

  resume(): void {
    const bytes = this.#untaken
    this.#untaken = 0
    this.#stream?.credit(bytes)
  }

  /** Ends the request in any state. `isWhole`: the response is complete, at least by its length. */
  end(isWhole: boolean): void {
    this.#clients.leave(this)
    if (this.#stream === undefined) return
    // leaves the stream open, since the callee still has to send the end of its response
    if (isWhole && this.#stream.isLocalDone) this.#stream.handler = DISCARDED
    else this.#stream.reset(CANCEL)
  }

  opened(connection: FrameClient): void {
    const early = this.#early
    this.#early = []
    this.#wasUsed = connection.wasUsed
    this.#walker = connection.walker
    const stream = connection.open(this, this.#fields, !this.#hasBody)
    this.#stream = stream
    for (const [at, text] of early.entries()) stream.writeData(text, this.#isSent && at === early.length - 1)
  }

  failed(why: string, isRefused: boolean): void {
    this.#sink.fail(failureOf(why, isRefused), {unsent: this.#held, wasUsed: false})
  }

  head(stream: FrameStream, block: string, isLast: boolean): void {
    const fields = new ResponseFields()
    this.#walker?.walk(block, fields)
    const {status, isMalformed, pairs} = fields
    if (this.#hasHead) return isLast && status === '' ? this.#sink.end() : this.#break(stream)
    if (isMalformed || !/^[1-9]\d\d$/.test(status) || status === '101') return this.#break(stream)
    if (status.startsWith('1')) {
      if (isLast) return this.#break(stream)
      if (++this.#interim > MAX_INTERIM) this.#fail(stream, CANCEL, TOO_MANY_INTERIM)
      return
    }
    this.#hasHead = true
    this.#sink.respond(Number(status), pairs)
    if (isLast) this.#sink.end()
  }

  data(stream: FrameStream, bytes: string, isLast: boolean): void {
    if (!this.#hasHead) return this.#break(stream)
    this.#untaken += bytes.length
    if (this.#sink.data(Buffer.from(bytes, 'latin1'))) this.resume()
    if (isLast) this.#sink.end()
  }

  sent(_stream: FrameStream, bytes: number): void {
    this.#unsent -= bytes
    if (this.#unsent === 0 && !this.#isSent) this.#sink.drain()
  }

  reset(_stream: FrameStream, code: number): void {
    this.#lose(`stream closed with error code ${codeName(code)}`, code === REFUSED_STREAM)
  }

  lost(_stream: FrameStream, why: string, isUnprocessed = false): void {
    this.#lose(why, isUnprocessed)
  }

  #lose(why: string, isUnprocessed: boolean): void {
    const unsent = isUnprocessed ? this.#held : undefined
    this.#sink.fail(new UpstreamError(`http2: ${why}`), {unsent, wasUsed: this.#wasUsed})
  }

  /** Fails the request, since the callee has broken the rules of HTTP/2. */
  #break(stream: FrameStream): void {
    this.#fail(stream, PROTOCOL_ERROR, 'http2: malformed response')
  }

  #fail(stream: FrameStream, code: number, why: string): void {
    stream.reset(code)
    this.#sink.fail(new UpstreamError(why))
  }
}

/** Returns the error of a connection that could not be opened, as Go's HTTP client words it. */
function failureOf(why: string, isRefused: boolean): Error {
  const text = /desc = "(.*)"$/s.exec(why)?.[1] ?? why
  const dialing = /^transport: Error while dialing: (.*)$/s.exec(text)?.[1]
  return Object.assign(new UpstreamError(dialing ?? `http2: ${text}`), isRefused && {code: 'ECONNREFUSED'})
}

/** Indices of names in the static table (RFC 7541, appendix A), and the encoded field `:scheme: http`. */
const [AUTHORITY, METHOD, PATH, SCHEME_HTTP] = [1, 2, 4, '\u0086']

function fieldsOf(method: string, path: string, authority: string, pairs: readonly string[]): string {
  let named = authority
  let fields = ''
  for (let at = 0; at < pairs.length; at += 2) {
    const name = (pairs[at] ?? '').toLowerCase()
    if (name === 'host') named = pairs[at + 1] ?? ''
    else fields += encodeField(name, pairs[at + 1] ?? '')
  }
  return `${encodeNamed(METHOD, method)}${SCHEME_HTTP}${encodeNamed(PATH, path)}${encodeNamed(AUTHORITY, named)}${fields}`
}

/** Connects to an app that speaks HTTP/2 without TLS from the first byte on (RFC 9113 §3.3). */
export const connectHttp2 =
  (pool: SharedCallee): Connect =>
  ({opened, failed}) => {
    const clients = clientsOf(pool.plain, text => process.emitWarning(text))
    const leave = takeFirst(clients, opened, (why, isRefused) => failed(failureOf(why, isRefused)))
    let current: Http2Request | undefined
    return {
      request: (adapted, sink) => (current = new Http2Request(clients, pool.authority, adapted, sink)),
      resume: () => current?.resume(),
      end: isWhole => {
        leave()
        current?.end(isWhole)
      }
    }
  }
