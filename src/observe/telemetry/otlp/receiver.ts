import type {IncomingMessage, ServerResponse} from 'node:http'
import {encodeField} from '#h2-frames'
import type {Server} from 'node:net'
import type {Readable} from 'node:stream'
import {bugText} from '../../../model/errors.ts'
import {isLoopback} from '../../../model/address.ts'
import {Budget, UncollectedBody} from '../../../platform/collector.ts'
import {collectRequest} from '../../../proxy/net/http1/collect-request.ts'
import {Listener} from '../../../proxy/net/http1/listener.ts'
import {OTHER} from '../../../proxy/net/http1/plain-request.ts'
import {endWith} from '../../../proxy/net/http1/upgrade-tunnel.ts'
import type {StreamRequest} from '../../../proxy/net/http2/http2-listener.ts'
import type {Http2Stream} from '../../../proxy/net/http2/http2-stream.ts'
import {reply, type Reply} from '../../../proxy/net/reply.ts'
import {
  answerTo,
  ExportError,
  exportErrorOf,
  failureBody,
  decompressed,
  MAX_EXPORT_BYTES,
  signalOf,
  exportTooLarge
} from './exchange.ts'
import type {SpanStore} from './span-store.ts'
import {takeExport, type Taken} from './take-export.ts'

const MAX_HEAD_BYTES = 16 * 1024
/** Maximum memory for all requests that are being read. Bodies of calls between apps have another budget. */
const ROOM = new Budget(32 * 1024 * 1024)
/** Maximum time for a body, in ms. */
const BODY_MS = 30_000
const NOTHING: Taken = {rejected: 0, why: ''}

/** The head of a request, over HTTP/1.1 or HTTP/2. */
interface Head {
  readonly method: string
  readonly path: string
  /** Returns a header by its name in lower case; empty if absent. */
  readonly header: (name: string) => string
}

/** Receives OTLP at one port: over HTTP as protobuf or JSON, and over gRPC. */
export class Receiver {
  readonly #store: SpanStore
  readonly #isApp: (id: string) => boolean
  readonly #warn: (text: string) => void
  readonly #listener: Listener

  /** `claim` listens on loopback; the receiver owns it from now on, with the connections that have arrived. */
  constructor(claim: Server, store: SpanStore, isApp: (id: string) => boolean, warn: (text: string) => void) {
    this.#store = store
    this.#isApp = isApp
    this.#warn = warn
    this.#listener = new Listener({
      servers: [claim],
      maxHeadBytes: MAX_HEAD_BYTES,
      warn,
      // this fast path only recognises HTTP/2: node:http reads every request of HTTP/1.1
      fast: {rules: {kinds: () => OTHER, prefix: '', valueCount: 1}, route: () => false},
      serve: (request, response) => void this.#serve(request, response),
      upgrade: (_request, socket) =>
        endWith(socket, {status: 400, type: 'text/plain', body: 'upgrades are not possible\n', lines: ''}),
      serveStream: request => void this.#serveStream(request)
    })
  }

  /** Reads the rest of open requests, until `cut` is aborted. */
  async close(cut: AbortSignal): Promise<void> {
    await this.#listener.close(cut)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const {method = '', url = '', headers} = request
    const header = (name: string): string => headers[name]?.toString() ?? ''
    const answer = await this.#answer({method, path: url, header}, request)
    if (answer === undefined) request.destroy()
    else reply(request, response, answer)
  }

  async #serveStream({stream, method, url: path, rawHeaders}: StreamRequest): Promise<void> {
    const header = (name: string): string => rawHeaders[rawHeaders.indexOf(name) + 1 || rawHeaders.length] ?? ''
    const head = {method, path, header}
    if (/^application\/grpc\b/.test(header('content-type'))) return this.#serveCall(head, stream)
    const answer = await this.#answer(head, stream)
    if (answer === undefined) stream.close()
    else stream.reply(answer, false)
  }

  async #serveCall(head: Head, stream: Http2Stream): Promise<void> {
    try {
      const signal = admitted(head)
      const body = await decompressed(...grpcMessage(await readBody(stream), head.header('grpc-encoding')))
      respondByGrpc(stream, answerTo(signal, await this.#take(signal, body, false), false))
    } catch (error) {
      const failure = this.#failureOf(error)
      if (failure === undefined) stream.close()
      else respondByGrpc(stream, failure)
    }
  }

  /** Answers a request. Resolves with undefined if the sender has disconnected. */
  async #answer(head: Head, stream: Readable): Promise<Reply | undefined> {
    const type = head.header('content-type').replace(/;.*$/s, '').trim().toLowerCase()
    const isJson = type === 'application/json'
    const replyOf = (status: number, bytes: Buffer): Reply => ({
      status,
      type: isJson ? type : 'application/x-protobuf',
      body: '',
      bytes,
      lines: status === 405 ? 'Allow: POST\r\n' : ''
    })
    try {
      const signal = admitted(head)
      if (!isJson && type !== 'application/x-protobuf')
        throw new ExportError('UNSUPPORTED', `the type ${type} is neither application/x-protobuf nor application/json`)
      const body = await decompressed(await readBody(stream), head.header('content-encoding').toLowerCase())
      return replyOf(200, answerTo(signal, await this.#take(signal, body, isJson), isJson))
    } catch (error) {
      const failure = this.#failureOf(error)
      return failure && replyOf(failure.status, failureBody(failure, isJson))
    }
  }

  async #take(signal: ReturnType<typeof admitted>, body: Buffer, isJson: boolean): Promise<Taken> {
    return signal === 'metrics' ? NOTHING : takeExport(this.#store, {signal, body, isJson}, this.#isApp)
  }

  #failureOf(error: unknown): ExportError | undefined {
    const failure = exportErrorOf(error)
    if (failure === undefined && !isGone(error)) this.#warn(bugText(error))
    return failure
  }
}

/** Returns the signal of a request. Throws an ExportError for requests that may not be sent here: of a web page, for example. */
function admitted({method, path, header}: Head): NonNullable<ReturnType<typeof signalOf>> {
  const origin = header('origin')
  const isForeign =
    !isLoopback(hostIn(header('host'))) ||
    (origin !== '' && !isLoopback(hostIn(/^https?:\/\/([^/]+)$/i.exec(origin)?.[1] ?? ''))) ||
    header('sec-fetch-site').toLowerCase() === 'cross-site'
  if (isForeign) throw new ExportError('FOREIGN', 'only programs of this machine may send here')
  const signal = signalOf(path)
  if (signal === undefined)
    throw new ExportError('UNKNOWN', `there is no ${path}: OTLP has /v1/traces, /v1/logs and /v1/metrics`)
  if (method !== 'POST') throw new ExportError('METHOD', 'OTLP is sent by POST')
  return signal
}

/** Returns the host without its port, in lower case. */
const hostIn = (authority: string): string =>
  authority
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replaceAll(/^\[|\]$/g, '')

const isGone = (error: unknown): boolean => error instanceof Error && 'code' in error

async function readBody(stream: Readable): Promise<Buffer> {
  const late = setTimeout(() => stream.destroy(), BODY_MS).unref()
  try {
    return (await collectRequest(stream, MAX_EXPORT_BYTES, ROOM)).take()
  } catch (error) {
    if (!(error instanceof UncollectedBody)) throw error
    throw error.isTooLarge
      ? exportTooLarge()
      : new ExportError('BUSY', 'too much is being sent at once: send it again later')
  } finally {
    clearTimeout(late)
  }
}

/** The bytes before a message of gRPC: whether it is compressed, and its length. */
const PREFIX_BYTES = 5

/** Returns the only message of a call, and how it is compressed. Throws an ExportError. */
function grpcMessage(body: Buffer, encoding: string): [message: Buffer, encoding: string] {
  const isWhole = body.length >= PREFIX_BYTES && body.readUInt32BE(1) === body.length - PREFIX_BYTES
  if (!isWhole) throw new ExportError('INVALID', 'the call does not have exactly one message')
  return [body.subarray(PREFIX_BYTES), body[0] === 1 ? encoding : '']
}

/** Answers a unary call with a message or an error. */
function respondByGrpc(stream: Http2Stream, answer: Buffer | ExportError): void {
  const pairs = ['content-type', 'application/grpc']
  stream.resume()
  if (answer instanceof ExportError) {
    const {code, message} = answer
    pairs.push('grpc-status', code.toString(), 'grpc-message', encodeURIComponent(message))
    return void stream.respond({status: 200, pairs, isLast: true})
  }
  if (!stream.respond({status: 200, pairs, isLast: false})) return
  stream.trailers = encodeField('grpc-status', '0')
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(answer.length, 1)
  stream.end(Buffer.concat([prefix, answer]))
}
