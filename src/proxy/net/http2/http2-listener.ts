import type {Http2Server, ServerHttp2Session, ServerHttp2Stream} from 'node:http2'
import type {EventEmitter} from 'node:events'
import type {Duplex} from 'node:stream'
import {INTERNAL_ERROR, MAX_STREAMS, REFUSED_STREAM, RESET_COST} from '#h2-frames'
import {codeOf} from '../../../model/errors.ts'
import {contain} from '../error-boundary.ts'
import {keepHandle} from './keep-handle.ts'
import {inherit, isOnUnixSocket} from '../claimed-server.ts'
import {maxOutgoing} from '../spare-descriptors.ts'
import {afterFloods, flooded, isWary} from './after-floods.ts'
import {isFlooding, SessionGuard} from './session-guard.ts'
import {inTurn} from './turns.ts'
import type {Reply} from '../reply.ts'
import {replyStream} from './http2-reply.ts'

/** An HTTP/2 request in the form of an HTTP/1 one. */
export interface StreamRequest {
  readonly method: string
  readonly url: string
  readonly httpVersion: '2'
  /** Alternating names and values, including Host and Transfer-Encoding where HTTP/1 would have them. */
  readonly rawHeaders: string[]
  readonly stream: ServerHttp2Stream
  readonly isOnUnixSocket: boolean
}

export interface Http2ListenerOptions {
  /** Maximum size of a request's headers. */
  readonly maxHeadBytes: number
  /** Time until the caller has sent its preface and settings, in ms. */
  readonly headMs: number
  readonly serve: (request: StreamRequest) => void
  /** Called for an internal error that closed a connection. */
  readonly crashed: (error: unknown) => void
}

/** Loaded with the first HTTP/2 connection. */
const http2 = (): typeof import('node:http2') => process.getBuiltinModule('node:http2')

/** Streams that one connection may reset at once … */
const RESET_BURST = 50
/** … and once a connection has just been cut … */
const WARY_RESET_BURST = 20
/** … and in a second. */
const RESETS_PER_SECOND = 100

/** Open streams of all sidecars. */
let openStreams = 0

const NO_REQUEST: Reply = {status: 400, type: '', body: '', lines: ''}

/** Serves HTTP/2 on connections that another server accepted and recognised as HTTP/2. */
export class Http2Listener {
  readonly #options: Http2ListenerOptions
  readonly #sessions = new Set<ServerHttp2Session>()
  /** The connection for which a session is being created. */
  #socket: Duplex | undefined
  #server: Http2Server | undefined
  /** The server for connections that arrive right after a flood. */
  #waryServer: Http2Server | undefined
  #isClosing = false

  constructor(options: Http2ListenerOptions) {
    this.#options = options
  }

  /** Takes over a connection; bytes that were read have been put back. */
  accept(socket: Duplex): void {
    afterFloods(() => this.#begin(socket))
  }

  #begin(socket: Duplex): void {
    if (socket.destroyed) return
    if (isFlooding(socket)) return void socket.destroy()
    // node:http lets its clients half-close; an HTTP/2 client that ends the connection has abandoned all its streams
    socket.allowHalfOpen = false
    const server = isWary()
      ? (this.#waryServer ??= this.#open(WARY_RESET_BURST))
      : (this.#server ??= this.#open(RESET_BURST))
    this.#socket = socket
    server.emit('connection', socket)
    this.#socket = undefined
  }

  /** Accepts no more streams; those in flight go on. */
  close(): void {
    this.#isClosing = true
    for (const session of this.#sessions) session.close()
  }

  destroy(): void {
    for (const session of this.#sessions) session.destroy()
  }

  #serve(stream: ServerHttp2Stream, raw: readonly string[]): void {
    try {
      const request = requestOf(stream, raw)
      if (request === undefined) replyStream(stream, NO_REQUEST, false)
      else this.#options.serve(request)
    } catch (error) {
      this.#options.crashed(error)
      stream.session?.destroy()
    }
  }

  /** Whether enough descriptors are left for others, now that this stream will take one: an app of HTTP/1 gets a connection for it. */
  #leavesRoom(stream: ServerHttp2Stream): boolean {
    if (openStreams >= maxOutgoing()) return false
    openStreams++
    stream.once('close', () => openStreams--)
    return true
  }

  #contain(emitter: EventEmitter, session: {destroy(): void} | undefined): void {
    contain(emitter, error => {
      this.#options.crashed(error)
      session?.destroy()
    })
  }

  #open(resetBurst: number): Http2Server {
    return http2()
      .createServer({
        settings: {
          maxHeaderListSize: this.#options.maxHeadBytes,
          maxConcurrentStreams: MAX_STREAMS,
          enableConnectProtocol: false
        },
        maxHeaderListPairs: this.#options.maxHeadBytes, // their size bounds their number
        streamResetBurst: resetBurst,
        streamResetRate: RESETS_PER_SECOND
      })
      .on('session', session => {
        this.#sessions.add(session)
        keepHandle(session)
        this.#contain(session, session)
        // a caller that sends half a preface, or nothing behind it, is none
        const late = setTimeout(() => session.destroy(), this.#options.headMs).unref()
        session.once('close', () => clearTimeout(late))
        // its listener has handed over: what was on its way is served, and the rest is for the next one
        if (this.#isClosing) session.once('stream', () => session.close())
        session.once(this.#isClosing ? 'stream' : 'remoteSettings', () => clearTimeout(late))
        const socket = this.#socket
        if (socket !== undefined) {
          inherit(socket, session)
          watchEnd(session, socket)
        }
        session
          // A broken connection ends its streams, which emit their own errors.
          .on('error', error => {
            // by what its caller has sent: node and nghttp2 have guards of their own
            if (codeOf(error).startsWith('ERR_HTTP2_')) flooded()
            session.destroy()
          })
          .on('close', () => this.#sessions.delete(session))
        this.#take(session, new SessionGuard(session, socket))
      })
  }

  /** Serves the streams of a session. */
  #take(session: ServerHttp2Session, guard: SessionGuard): void {
    session.on('stream', (stream, _headers, _flags, raw?: string[]) => {
      this.#contain(stream, session)
      stream.on('error', () => stream.close(INTERNAL_ERROR))
      if (!this.#leavesRoom(stream)) return stream.close(REFUSED_STREAM)
      let isServed = false
      stream.once('close', () => {
        if (!isServed) guard.useless(RESET_COST)
      })
      inTurn(() => {
        if (stream.closed) return false
        isServed = true
        this.#serve(stream, raw ?? [])
        return true
      })
    })
  }
}

function requestOf(stream: ServerHttp2Stream, raw: readonly string[]): StreamRequest | undefined {
  const pseudo: Record<string, string> = {}
  const rawHeaders: string[] = []
  let cookie = ''
  let hasHost = false
  let hasLength = false
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    hasHost ||= name === 'host'
    hasLength ||= name === 'content-length'
    // oxlint-disable-next-line pillion/user-words -- these begin with a colon
    if (name.startsWith(':')) pseudo[name] = value
    // Several cookie headers become one again (RFC 9113 §8.2.3).
    else if (name === 'cookie') cookie += cookie === '' ? value : `; ${value}`
    else rawHeaders.push(name, value)
  }
  const {':method': method = '', ':path': url = '', ':authority': authority} = pseudo
  if (method === '' || method === 'CONNECT' || url === '') return undefined
  if (cookie !== '') rawHeaders.push('cookie', cookie)
  if (!hasHost && authority !== undefined) rawHeaders.push('host', authority)
  if (!hasLength && !stream.endAfterHeaders) rawHeaders.push('transfer-encoding', 'chunked')
  const isUnix = stream.session !== undefined && isOnUnixSocket(stream.session)
  return {method: method.toUpperCase(), url, httpVersion: '2', rawHeaders, stream, isOnUnixSocket: isUnix}
}

const WATCH_MS = 1000

/** Node has no public API for reading a socket that belongs to a session. */
const read = (socket: Duplex): void =>
  (Reflect.get(socket, '_handle') as {readStart?(): void} | null | undefined)?.readStart?.()

/**
 * After a GOAWAY and a protocol error, node stops reading the connection, waits for its streams, and does not notice when
 * the client closes it (Node 26). This keeps reading until it does.
 */
function watchEnd(session: ServerHttp2Session, socket: Duplex): void {
  const watch = (): void => {
    const timer = setInterval(() => read(socket), WATCH_MS).unref()
    session.once('close', () => clearInterval(timer))
  }
  // Node keeps a session whose settings were not acknowledged in memory while it has a reference to its error.
  session.once('goaway', watch).once('close', () => session.off('goaway', watch))
}
