import type {IncomingMessage, Server, ServerResponse} from 'node:http'
import type net from 'node:net'
import {Duplex} from 'node:stream'
import {codeOf, bugText} from '../../../model/errors.ts'
import type {PlainRoute} from './fast-connection.ts'
import {FastPath} from './fast-path.ts'
import {attach, takeOver} from '../claimed-server.ts'
import {Connections} from '../connections.ts'
import {UpgradeBuffer} from './upgrade-buffer.ts'
import {closeLingering} from '../../../platform/lingering-close.ts'
import {contain} from '../error-boundary.ts'
import {awaitContinue} from './collect-request.ts'
import {Connection, refusalBody, refusalText} from './connection.ts'
import type {Http2Listener, StreamRequest} from '../http2/http2-listener.ts'
import {restoreQuery} from './first-line.ts'
import {valueOf} from './header-lines.ts'
import {http} from './node-http.ts'

export interface ListenerOptions {
  /** Listening servers, which the listener closes later. */
  readonly servers: readonly net.Server[]
  /** Maximum size of a request's line and headers, in bytes. A larger head gets status 431. */
  readonly maxHeadBytes: number
  /** Time limit for a request's head, in ms; the first head's time begins with the connection. Omitted: 10,000. */
  readonly headMs?: number
  /** Handles a request. Requests of one connection arrive one at a time, in order. */
  readonly serve: (request: IncomingMessage, response: ServerResponse) => void
  /** Logs problems of the listener. Omitted: errors of a server are thrown. */
  readonly warn?: (text: string) => void
  /** Handles plain requests, which avoid node:http. Omitted: node:http parses all requests. */
  readonly fast?: PlainRoute | undefined
  /** Takes over a connection that requests a WebSocket. `early`: bytes after the request. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, early: Buffer) => void
  /** Handles an HTTP/2 request. Omitted: HTTP/2 is not served. */
  readonly serveStream?: ((request: StreamRequest) => void) | undefined
}

const HEAD_MS = 10_000

/** Route without plain requests. Connections use the fast path all the same, since it merges tiny chunks. */
const NOTHING_PLAIN = {rules: undefined, route: () => false}

const occurrences = (raw: readonly string[], name: string): number => {
  let count = 0
  for (let at = 0; at < raw.length; at += 2) {
    const each = raw[at] ?? ''
    if (each.length === name.length && each.toLowerCase() === name) count++
  }
  return count
}

/** Whether a body is chunked without another coding. */
const isPlainlyChunked = (raw: readonly string[]): boolean =>
  occurrences(raw, 'transfer-encoding') === 1 && valueOf(raw, 'transfer-encoding')?.toLowerCase() === 'chunked'

/**
 * Returns the status for a request that Node's parser accepts but the listener refuses: other versions, no Host or several, HTTP/1.0 with a
 * transfer coding, or codings besides `chunked` (RFC 9112 §6.1); 0: the request is valid.
 */
const faultOf = ({httpVersion, rawHeaders}: IncomingMessage): number => {
  const hosts = occurrences(rawHeaders, 'host')
  const isCoded = occurrences(rawHeaders, 'transfer-encoding') > 0
  if (httpVersion === '1.1' ? hosts !== 1 : httpVersion !== '1.0' || hosts > 1 || isCoded) return 400
  return isCoded && !isPlainlyChunked(rawHeaders) ? 501 : 0
}

/** Returns the connection of a server event, from the values that it emits. */
const socketOf = (values: readonly unknown[]): Duplex | undefined => {
  const about = values.find(each => each instanceof http.IncomingMessage || each instanceof Duplex)
  return about instanceof http.IncomingMessage ? about.socket : about
}

/** Whether a server listens on a unix domain socket. */
const isPath = (server: net.Server): boolean => typeof server.address() === 'string'

const asksForWebsocket = (request: IncomingMessage): boolean => request.headers.upgrade?.toLowerCase() === 'websocket'

/** Whether a request asks for an upgrade to HTTP/2 and has no body. A request with a body is served in HTTP/1. */
const asksForHttp2 = ({headers, httpVersionMinor}: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === 'h2c' &&
  headers['http2-settings'] !== undefined &&
  httpVersionMinor === 1 &&
  headers['transfer-encoding'] === undefined &&
  Number(headers['content-length'] ?? 0) === 0

/** Refuses a request without reading it, and closes the connection. */
export const refuse = (response: ServerResponse, status: number): void => {
  response.sendDate = false
  response.shouldKeepAlive = false
  const text = refusalBody(status)
  response.writeHead(status, ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', text.length.toString()])
  response.end(text)
}

/**
 * The HTTP server of a sidecar's ports and similar APIs: node:http with a fast path in front, and with stricter checks. Refuses requests that
 * two parsers could read differently, serves a connection's requests one after the other, and limits the time for a head.
 */
export class Listener {
  readonly #servers: readonly Server[]
  readonly #fastPaths: FastPath[] = []
  readonly #bySocket = new WeakMap<Duplex, Connection>()
  readonly #connections = new Connections()
  /** Serves HTTP/2; undefined: no connection has needed it yet. */
  #streams: Http2Listener | undefined
  readonly #options: ListenerOptions
  #isClosing = false

  constructor(options: ListenerOptions) {
    this.#options = options
    // creates a server for each port: Node checks the time limit of heads only on a server that listens
    const [ports, sockets] = [options.servers.filter(each => !isPath(each)), options.servers.filter(isPath)]
    this.#servers = ports.map(claim => {
      const server = this.#open()
      attach(claim, server, options.warn)
      return server
    })
    const [first] = this.#servers
    if (first !== undefined) for (const claim of sockets) attach(claim, first, options.warn)
  }

  /** Stops accepting connections and lets calls in flight finish. An abort of the signal closes them. Settles when no connection is left. */
  async close(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) this.destroy()
    signal?.addEventListener('abort', () => this.destroy(), {once: true})
    this.#stopListening()
    await this.#connections.gone()
  }

  /**
   * Stops accepting connections, but keeps the ports bound for the next listener, for which new connections wait. Returns the claims. Still
   * serves the first request of a connection that has sent nothing yet. `close` has to follow.
   */
  handOver(): readonly net.Server[] {
    const claims = this.#servers.flatMap(server => takeOver(server, this.#options.servers) ?? [])
    this.#stopListening(true)
    return claims
  }

  destroy(): void {
    this.#stopListening()
    this.#streams?.destroy()
    this.#connections.destroy()
  }

  #stopListening(keepsUnused = false): void {
    if (this.#isClosing) return
    this.#isClosing = true
    for (const server of this.#servers) server.close()
    // ports are closed already by their handles: this closes unix domain sockets, and makes all servers emit `close`
    for (const server of this.#options.servers) server.close()
    for (const fastPath of this.#fastPaths) fastPath.close(keepsUnused)
    for (const socket of this.#connections.open) this.#bySocket.get(socket)?.endSoon()
    this.#streams?.close()
  }

  #open(): Server {
    const {maxHeadBytes, headMs = HEAD_MS, fast, serveStream} = this.#options
    const server = http.createServer({
      noDelay: true,
      keepAliveTimeout: 0,
      requestTimeout: 0,
      headersTimeout: headMs,
      connectionsCheckingInterval: headMs / 10,
      maxHeaderSize: maxHeadBytes,
      requireHostHeader: false,
      shouldUpgradeCallback: request =>
        asksForWebsocket(request) || (serveStream !== undefined && asksForHttp2(request))
    })
    // removes Node's limit, which drops further headers silently: `maxHeaderSize` bounds their number
    server.maxHeadersCount = 0
    this.#fastPaths.push(
      new FastPath(
        server,
        fast ?? NOTHING_PLAIN,
        headMs,
        serveStream && (socket => void this.#inHttp2(socket, streams => streams.accept(socket)))
      )
    )
    this.#connections.follow(server)
    contain(server, (error, values) => this.#crashed(error, socketOf(values)))
    return server
      .prependListener('connection', (socket: net.Socket) => contain(socket, error => this.#crashed(error, socket)))
      .on('error', error => {
        if (this.#options.warn === undefined) throw error
        this.#options.warn(`a listener failed: ${error.message}`)
      })
      .on('request', (request, response) => this.#add(request, response))
      .on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
        awaitContinue(request, response)
        this.#add(request, response)
      })
      .on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
        const refused = (): void => void response.writeHead(417, ['Content-Length', '0']).end()
        this.#connection(request.socket).add(request, response, refused)
      })
      .on('upgrade', (request, socket, early) => this.#upgrade(request, socket, early))
      .on('clientError', (error, socket) => this.#refuse(error, socket))
  }

  #connection(socket: Duplex): Connection {
    const known = this.#bySocket.get(socket)
    if (known !== undefined) return known
    const connection = new Connection(socket, () => this.#isClosing)
    this.#bySocket.set(socket, connection)
    return connection
  }

  /** Closes the connection on which an internal error happened. Throws an error without a connection. */
  #crashed(error: unknown, socket: Duplex | undefined): void {
    if (socket === undefined) throw error
    this.#options.warn?.(bugText(error))
    socket.destroy()
  }

  #add(request: IncomingMessage, response: ServerResponse): void {
    const {socket} = request
    const connection = this.#connection(socket)
    if (connection.isLast) return
    restoreQuery(request)
    for (const each of [request, response]) contain(each, error => this.#crashed(error, socket))
    const fault = faultOf(request)
    if (fault > 0) {
      connection.add(request, response, () => refuse(response, fault))
      connection.endRequests()
    } else connection.add(request, response, this.#options.serve)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    restoreQuery(request)
    socket.on('error', () => socket.destroy())
    const buffer = new UpgradeBuffer(socket, early)
    this.#connection(socket).whenIdle(() => {
      const fault = faultOf(request)
      if (fault === 0 && !asksForWebsocket(request)) {
        const begin = (streams: Http2Listener): void => streams.upgrade(request, socket as net.Socket, buffer.release())
        return void this.#inHttp2(socket, begin)
      }
      const bytes = buffer.release()
      if (fault > 0) closeLingering(socket, refusalText(fault))
      else this.#options.upgrade(request, socket, bytes)
    })
  }

  /** Continues a connection in HTTP/2, unless it closes while the code for that is loaded. */
  async #inHttp2(socket: Duplex, begin: (streams: Http2Listener) => void): Promise<void> {
    const {serveStream: serve = () => undefined, maxHeadBytes, headMs = HEAD_MS, warn = () => undefined} = this.#options
    try {
      socket.on('error', () => socket.destroy())
      const {Http2Listener: Streams} = await import('../http2/http2-listener.ts')
      this.#streams ??= new Streams({serve, maxHeadBytes, headMs, warn})
      if (this.#isClosing) this.#streams.close()
      if (!socket.destroyed) begin(this.#streams)
    } catch (error) {
      this.#crashed(error, socket)
    }
  }

  #refuse(error: Error, socket: Duplex): void {
    const code = codeOf(error)
    // other codes, such as EPIPE and ECONNRESET, mean that the caller has disconnected
    if (!/^(HPE_|ERR_HTTP_)/.test(code) || !socket.writable) return void socket.destroy()
    const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
    // closes without a response after bytes behind a last request, and on a connection that was never used
    const hasSent = 'bytesRead' in socket && Number(socket.bytesRead) > 0
    const isSilent = code === 'HPE_CLOSED_CONNECTION' || (status === 408 && !hasSent)
    this.#connection(socket).breakOff(isSilent ? '' : refusalText(status))
  }
}
