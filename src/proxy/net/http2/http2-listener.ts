import type {IncomingMessage} from 'node:http'
import type net from 'node:net'
import {
  DISCARDED,
  encodeField,
  FrameServer,
  type FrameStream,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  SERVER_GREETING,
  type StreamHandler
} from '#h2-frames'
import {bugText} from '../../../model/errors.ts'
import {isOnUnixSocket} from '../claimed-server.ts'
import {contain} from '../error-boundary.ts'
import {OF_CONNECTION} from '../http1/header-kinds.ts'
import type {Reply} from '../reply.ts'
import {maxOutgoing} from '../../../platform/spare-descriptors.ts'
import {Http2Head} from './http2-head.ts'
import {Http2Stream} from './http2-stream.ts'

/** An HTTP/2 request in the form of an HTTP/1 one. */
export interface StreamRequest {
  readonly method: string
  readonly url: string
  readonly httpVersion: '2'
  /** Headers, with Host and Transfer-Encoding where HTTP/1 would have them: names and values alternate. */
  readonly rawHeaders: string[]
  readonly stream: Http2Stream
  /** Connection of the caller. */
  readonly socket: net.Socket
  readonly isOnUnixSocket: boolean
}

export interface Http2ListenerOptions {
  /** Maximum size of a request's headers, in bytes. */
  readonly maxHeadBytes: number
  /** Time limit for the caller's preface and settings, in ms. */
  readonly headMs: number
  readonly serve: (request: StreamRequest) => void
  /** Called with the text of an internal error that closed a connection. */
  readonly warn: (text: string) => void
}

/** Response that accepts an upgrade to HTTP/2 (RFC 7540 §3.2). */
const H2C_GRANTED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'
const NO_REQUEST: Reply = {status: 400, type: '', body: '', lines: ''}
const HEAD_TOO_LARGE: Reply = {status: 431, type: '', body: '', lines: ''}

/** Cost of a refused stream for the flood guard, where a ping costs 1: clients read the limit of streams before they open hundreds more. */
const REFUSAL_COST = 2

/** A connection whose streams are still read after their response, since request bodies may be copied to shadows. */
class Http2Connection extends FrameServer {
  override localDone(): void {
    // does not reset the stream: the rest of the request is read
  }

  override useless(): void {
    super.useless(REFUSAL_COST)
  }

  /** Serves a request without a body that arrived over HTTP/1 as stream 1. */
  upgraded(block: string): void {
    this.opened(1, block, true)
  }
}

/** Serves HTTP/2 on connections that another server has accepted and recognised as HTTP/2. Its streams become requests in the form of HTTP/1. */
export class Http2Listener {
  readonly #options: Http2ListenerOptions
  readonly #connections = new Set<FrameServer>()
  #isClosing = false

  constructor(options: Http2ListenerOptions) {
    this.#options = options
  }

  /** Takes over a connection. Its owner has put back all bytes that it has read; undefined: the connection is closed. */
  accept(socket: net.Socket): Http2Connection | undefined {
    if (socket.destroyed) return undefined
    const {warn, headMs} = this.#options
    // closes the connection when the client ends it: the client has abandoned its streams then
    socket.allowHalfOpen = false
    socket.write(SERVER_GREETING, 'latin1')
    // closes a connection without a complete preface; while the listener closes, also one without a stream
    const late = setTimeout(() => {
      if (!connection.hasSettings || this.#isClosing) connection.destroy('no request')
    }, headMs).unref()
    const connection = new Http2Connection(
      socket,
      warn,
      server => this.#calls(server, socket, late),
      closed => {
        clearTimeout(late)
        this.#connections.delete(closed)
      }
    )
    this.#connections.add(connection)
    return connection
  }

  /** Continues an HTTP/1 connection in HTTP/2. The request becomes stream 1 (RFC 7540 §3.2). `early`: bytes after the request. */
  upgrade(request: IncomingMessage, socket: net.Socket, early: Buffer): void {
    socket.write(H2C_GRANTED)
    const connection = this.accept(socket)
    connection?.upgraded(fieldsOf(request))
    connection?.read(early, early.length)
  }

  /** Stops accepting streams. Streams in flight continue. */
  close(): void {
    this.#isClosing = true
    for (const connection of this.#connections) connection.leave()
  }

  destroy(): void {
    for (const connection of this.#connections) connection.destroy('closed')
  }

  #calls(connection: FrameServer, socket: net.Socket, late: NodeJS.Timeout): StreamHandler {
    return {
      ...DISCARDED,
      head: (frames, block, isLast) => {
        clearTimeout(late)
        this.#take(connection, socket, {frames, block, isLast})
        // serves streams that have begun, and leaves later ones to the next listener
        if (this.#isClosing) connection.leave()
      }
    }
  }

  #take(
    connection: FrameServer,
    socket: net.Socket,
    {frames, block, isLast}: {frames: FrameStream; block: string; isLast: boolean}
  ): void {
    const {walker} = connection
    const head = new Http2Head()
    walker.walk(block, head)
    head.end(isLast)
    const isTooLarge = walker.listSize > this.#options.maxHeadBytes
    if (head.isMalformed && !isTooLarge) {
      frames.reset(PROTOCOL_ERROR)
      return connection.useless()
    }
    // refuses streams beyond the limit of connections: each stream to an HTTP/1 app needs one, and other callers need some, too
    if (Http2Stream.open >= maxOutgoing()) return frames.reset(REFUSED_STREAM)
    const stream = new Http2Stream(connection, frames, head.length)
    frames.handler = stream
    contain(stream, error => this.#crashed(connection, error))
    try {
      if (isTooLarge) stream.reply(HEAD_TOO_LARGE, false)
      else if (head.method === 'CONNECT') stream.reply(NO_REQUEST, false)
      else
        this.#options.serve({
          method: head.method,
          url: head.url,
          httpVersion: '2',
          rawHeaders: head.rawHeaders(isLast),
          stream,
          socket,
          isOnUnixSocket: isOnUnixSocket(socket)
        })
    } catch (error) {
      this.#crashed(connection, error)
    }
    if (isLast) stream.data(frames, '', true)
  }

  #crashed(connection: FrameServer, error: unknown): void {
    this.#options.warn(bugText(error))
    connection.destroy('internal error')
  }
}

const NOT_FORWARDED = new Set([...OF_CONNECTION, 'host', 'content-length'])

/** Returns the head of an HTTP/1 request as encoded fields of HTTP/2. */
const fieldsOf = ({method = '', url = '', rawHeaders, headers}: IncomingMessage): string => {
  let block = encodeField(':method', method) + encodeField(':scheme', 'http')
  block += encodeField(':path', url) + encodeField(':authority', headers.host ?? '')
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    if (!NOT_FORWARDED.has(name)) block += encodeField(name, rawHeaders[at + 1] ?? '')
  }
  return block
}
