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
  /** Bound and listening; the listener owns them from now on. */
  readonly servers: readonly net.Server[]
  /** Maximum size of a request's line and headers; beyond: 431. */
  readonly maxHeadBytes: number
  /** Time for a request's head, in ms; for the first one since the connection. Default 10,000. */
  readonly headMs?: number
  /** Handles a request. Requests of one connection arrive one at a time, in order. */
  readonly serve: (request: IncomingMessage, response: ServerResponse) => void
  /** Logs problems of the listener; calls continue. If omitted, errors are thrown, as node does. */
  readonly warn?: (text: string) => void
  /** Enables the fast path: plain requests avoid node:http. */
  readonly fast?: PlainRoute | undefined
  /** Takes over a connection that requests a websocket. `early`: the bytes after the request. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, early: Buffer) => void
  /** Handles an HTTP/2 request, detected by the fast path; omitted: HTTP/2 is not served. */
  readonly serveStream?: ((request: StreamRequest) => void) | undefined
}

const HEAD_MS = 10_000

/** Route without plain requests: connections pass the fast path, too, which merges tiny chunks. */
const NOTHING_PLAIN = {rules: undefined, route: () => false}

const occurrences = (raw: readonly string[], name: string): number => {
  let count = 0
  for (let at = 0; at < raw.length; at += 2) {
    const each = raw[at] ?? ''
    if (each.length === name.length && each.toLowerCase() === name) count++
  }
  return count
}

/** A body in chunks, without another coding below. */
const isPlainlyChunked = (raw: readonly string[]): boolean =>
  occurrences(raw, 'transfer-encoding') === 1 && valueOf(raw, 'transfer-encoding')?.toLowerCase() === 'chunked'

/**
 * Returns the status for a request that node's parser accepts but we refuse: other versions, no or two Hosts, HTTP/1.0 with a second
 * framing, a coding below the chunks (RFC 9112 §6.1). 0: none.
 */
const faultOf = ({httpVersion, rawHeaders}: IncomingMessage): number => {
  const hosts = occurrences(rawHeaders, 'host')
  const isCoded = occurrences(rawHeaders, 'transfer-encoding') > 0
  if (httpVersion === '1.1' ? hosts !== 1 : httpVersion !== '1.0' || hosts > 1 || isCoded) return 400
  return isCoded && !isPlainlyChunked(rawHeaders) ? 501 : 0
}

/** The connection that a server event is about. */
const socketOf = (values: readonly unknown[]): Duplex | undefined => {
  const about = values.find(each => each instanceof http.IncomingMessage || each instanceof Duplex)
  return about instanceof http.IncomingMessage ? about.socket : about
}

/** Whether it listens on a unix domain socket. */
const isPath = (server: net.Server): boolean => typeof server.address() === 'string'

const asksForWebsocket = (request: IncomingMessage): boolean => request.headers.upgrade?.toLowerCase() === 'websocket'

/** Whether a request asks for an upgrade to HTTP/2, which is granted only without a body. Other requests are served as usual. */
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
 * A strict HTTP/1 server: node:http with further checks. Refuses requests that two parsers could read differently, serves a connection's
 * requests one after the other, and limits the time for a head.
 */
export class Listener {
  readonly #servers: readonly Server[]
  readonly #fastPaths: FastPath[] = []
  readonly #bySocket = new WeakMap<Duplex, Connection>()
  readonly #connections = new Connections()
  /** Serves HTTP/2; opened with the first such connection. */
  #streams: Http2Listener | undefined
  readonly #options: ListenerOptions
  #isClosing = false

  constructor(options: ListenerOptions) {
    this.#options = options
    // Each listening handle has its own server: node only checks for late heads on a server that listens.
    const [ports, sockets] = [options.servers.filter(each => !isPath(each)), options.servers.filter(isPath)]
    this.#servers = ports.map(claim => {
      const server = this.#open()
      attach(claim, server, options.warn)
      return server
    })
    const [first] = this.#servers
    if (first !== undefined) for (const claim of sockets) attach(claim, first, options.warn)
  }

  /** Stops accepting and lets calls in flight finish, until `cut` is aborted. Settles when the last connection is closed. */
  async close(cut?: AbortSignal): Promise<void> {
    if (cut?.aborted === true) this.destroy()
    cut?.addEventListener('abort', () => this.destroy(), {once: true})
    this.#stopListening()
    await this.#connections.gone()
  }

  /**
   * Stops accepting, as `close`, but keeps the addresses for a successor, except unix domain sockets: new connections wait for it. Serves
   * the first request of a silent connection, since its caller does not know the change. Call `close` next.
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
    // Except for unix domain sockets their handles are closed already; this emits `close` to their owners.
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
    // The size of the head bounds their number; node's own limit drops headers silently.
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

  /** An internal error closes only the connection on which it happened. */
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

  /** Continues a connection in HTTP/2, unless it ends before the code for that is loaded. */
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
    // EPIPE and ECONNRESET mean that the caller is gone
    if (!/^(HPE_|ERR_HTTP_)/.test(code) || !socket.writable) return void socket.destroy()
    const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
    // No response for bytes behind a last request, or for a connection that was never used.
    const hasSent = 'bytesRead' in socket && Number(socket.bytesRead) > 0
    const isSilent = code === 'HPE_CLOSED_CONNECTION' || (status === 408 && !hasSent)
    this.#connection(socket).breakOff(isSilent ? '' : refusalText(status))
  }
}
