import type {IncomingMessage, Server, ServerResponse} from 'node:http'
import type net from 'node:net'
import {Duplex} from 'node:stream'
import {codeOf} from '../../model/errors.ts'
import {FastPath, type FastPathOptions} from './fast-path.ts'
import {inherit, takeOver} from '../claimed-server.ts'
import {Connections} from '../connections.ts'
import {UpgradeBuffer} from './upgrade-buffer.ts'
import {bugText, contain} from '../error-boundary.ts'
import {awaitContinue} from './expect-continue.ts'
import {Connection, refusalBody, refusalText} from './connection.ts'
import {Http2Listener, type StreamRequest} from '../http2/http2-listener.ts'
import {asksForHttp2, H2C_GRANTED, UpgradedLink} from '../http2/h2c-upgrade.ts'
import {restoreQuery} from './first-line.ts'
import {http} from './node-http.ts'

export interface ListenerOptions {
  /** Bound and listening; they are ours from now on. */
  readonly servers: readonly net.Server[]
  /** Bytes of a request's line and fields; beyond: 431. */
  readonly maxHeadBytes: number
  /** How long a request's head may take, in ms; the first one from the connection on. Default 10,000. */
  readonly headMs?: number
  /** Answers a request. Those of one connection come one at a time, in order. */
  readonly serve: (request: IncomingMessage, response: ServerResponse) => void
  /** Told what goes wrong with a listener; calls go on. Without it that is thrown, as node does. */
  readonly warn?: (text: string) => void
  /** Puts the fast path before it: what is recognised as plain need not be read by node:http. */
  readonly fast?: Omit<FastPathOptions, 'headMs' | 'otherProtocol'> | undefined
  /** Takes over a connection whose request asks for a websocket; `early`: what came behind the request. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, early: Buffer) => void
  /** Answers a request of HTTP/2; left out: HTTP/2 is not spoken. It is recognised by the fast path. */
  readonly serveStream?: ((request: StreamRequest) => void) | undefined
}

const occurrences = (raw: readonly string[], name: string): number => {
  let count = 0
  for (let at = 0; at < raw.length; at += 2) {
    const field = raw[at] ?? ''
    if (field.length === name.length && field.toLowerCase() === name) count++
  }
  return count
}

/** A body in chunks, and nothing below them that would have to be undone. */
const isPlainlyChunked = (raw: readonly string[]): boolean =>
  occurrences(raw, 'transfer-encoding') === 1 &&
  raw[raw.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === 'transfer-encoding') + 1]?.toLowerCase() ===
    'chunked'

/**
 * The status by which a request is refused that node's parser lets through and we do not: other versions, no Host or two,
 * HTTP/1.0 with a second framing, a coding below the chunks (RFC 9112 §6.1). 0: it is none.
 */
const faultOf = ({httpVersion, rawHeaders}: IncomingMessage): number => {
  const hosts = occurrences(rawHeaders, 'host')
  const isCoded = occurrences(rawHeaders, 'transfer-encoding') > 0
  if (httpVersion === '1.1' ? hosts !== 1 : httpVersion !== '1.0' || hosts > 1 || isCoded) return 400
  return isCoded && !isPlainlyChunked(rawHeaders) ? 501 : 0
}

/** The connection that an event of a server is about. */
const socketOf = (values: readonly unknown[]): Duplex | undefined => {
  const about = values.find(each => each instanceof http.IncomingMessage || each instanceof Duplex)
  return about instanceof http.IncomingMessage ? about.socket : about
}

/** It listens on a unix domain socket. */
const isPath = (server: net.Server): boolean => typeof server.address() === 'string'

const asksForWebsocket = (request: IncomingMessage): boolean => request.headers.upgrade?.toLowerCase() === 'websocket'

/** Answers on a line without reading the request, and ends the line. */
export const refuse = (response: ServerResponse, status: number): void => {
  response.sendDate = false
  response.shouldKeepAlive = false
  const text = refusalBody(status)
  response.writeHead(status, ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', text.length.toString()])
  response.end(text)
}

/**
 * A strict server of HTTP/1: node:http, and what it leaves open. It refuses what two readers could read differently,
 * serves the requests of a connection one after the other, and lets nobody wait with half a head.
 */
export class Listener {
  readonly #servers: readonly Server[]
  readonly #fastPaths: FastPath[] = []
  readonly #bySocket = new WeakMap<Duplex, Connection>()
  readonly #connections = new Connections()
  readonly #streams: Http2Listener | undefined
  readonly #options: ListenerOptions
  #isClosing = false

  constructor(options: ListenerOptions) {
    this.#options = options
    const {serveStream: serve, maxHeadBytes} = options
    this.#streams = serve && new Http2Listener({serve, maxHeadBytes, crashed: error => this.#tell(error)})
    // Each server takes over one listening handle: node's sweep for late heads runs only where it listens.
    const [ports, sockets] = [options.servers.filter(each => !isPath(each)), options.servers.filter(isPath)]
    this.#servers = ports.map(claim => {
      const server = this.#open()
      takeOver(claim, server)
      return server
    })
    const [first] = this.#servers
    if (first !== undefined) for (const claim of sockets) takeOver(claim, first)
  }

  /** Accepts no more and lets the calls under way finish, until `cut` is aborted. Settles when the last connection is gone. */
  async close(cut?: AbortSignal): Promise<void> {
    if (cut?.aborted === true) this.destroy()
    cut?.addEventListener('abort', () => this.destroy(), {once: true})
    this.#stopListening()
    await this.#connections.gone()
  }

  /** Ends everything now. */
  destroy(): void {
    this.#stopListening()
    this.#streams?.destroy()
    this.#connections.destroy()
  }

  #stopListening(): void {
    if (this.#isClosing) return
    this.#isClosing = true
    for (const server of this.#servers) server.close()
    // Their handles are closed, but for unix domain sockets; this tells those who opened them.
    for (const server of this.#options.servers) server.close()
    for (const fastPath of this.#fastPaths) fastPath.close()
    void this.#streams?.close()
  }

  #open(): Server {
    const {maxHeadBytes, headMs = 10_000, fast} = this.#options
    const server = http.createServer({
      noDelay: true,
      keepAliveTimeout: 0,
      requestTimeout: 0,
      headersTimeout: headMs,
      connectionsCheckingInterval: headMs / 10,
      maxHeaderSize: maxHeadBytes,
      requireHostHeader: false,
      shouldUpgradeCallback: request =>
        asksForWebsocket(request) || (this.#streams !== undefined && asksForHttp2(request))
    })
    // Their number is bounded by the size of the head; node's own bound drops fields in silence.
    server.maxHeadersCount = 0
    if (fast !== undefined) this.#fastPaths.push(new FastPath(server, {...fast, headMs, ...this.#otherProtocol()}))
    this.#connections.follow(server)
    contain(server, (error, values) => this.#crashed(error, socketOf(values)))
    return server
      .prependListener('connection', (socket: net.Socket) => contain(socket, error => this.#crashed(error, socket)))
      .on('error', error => {
        if (this.#options.warn === undefined) throw error
        this.#options.warn(`a listener failed: ${error.message}`)
      })
      .on('request', (request, response) => {
        this.#add(request, response)
      })
      .on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
        awaitContinue(request)
        this.#add(request, response)
      })
      .on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
        this.#connection(request.socket).add(request, response, () => {
          response.writeHead(417, ['Content-Length', '0']).end()
        })
      })
      .on('upgrade', (request, socket, early) => {
        this.#upgrade(request, socket, early)
      })
      .on('clientError', (error, socket) => {
        this.#refuse(error, socket)
      })
  }

  #connection(socket: Duplex): Connection {
    const known = this.#bySocket.get(socket)
    if (known !== undefined) return known
    const connection = new Connection(socket, () => this.#isClosing)
    this.#bySocket.set(socket, connection)
    return connection
  }

  /** A bug of ours ends the connection that ran into it, and no other. */
  #crashed(error: unknown, socket: Duplex | undefined): void {
    if (socket === undefined) throw error
    this.#tell(error)
    socket.destroy()
  }

  #tell(error: unknown): void {
    this.#options.warn?.(bugText(error))
  }

  #contain(request: IncomingMessage, response: ServerResponse): void {
    const {socket} = request
    const crashed = (error: unknown): void => this.#crashed(error, socket)
    contain(request, crashed)
    contain(response, crashed)
  }

  #add(request: IncomingMessage, response: ServerResponse): void {
    restoreQuery(request)
    this.#contain(request, response)
    const connection = this.#connection(request.socket)
    const fault = faultOf(request)
    if (fault > 0) {
      connection.add(request, response, () => {
        refuse(response, fault)
      })
      connection.isLast = true
    } else connection.add(request, response, this.#options.serve)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    restoreQuery(request)
    socket.on('error', () => socket.destroy())
    const buffer = new UpgradeBuffer(socket, early)
    this.#connection(socket).whenQuiet(() => {
      const bytes = buffer.release()
      const fault = faultOf(request)
      if (fault > 0) socket.end(refusalText(fault))
      else if (!asksForWebsocket(request)) this.#goOnInHttp2(request, socket, bytes)
      else this.#options.upgrade(request, socket, bytes)
    })
  }

  #goOnInHttp2(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    socket.write(H2C_GRANTED)
    const link = new UpgradedLink(request, socket, early)
    contain(link, error => this.#crashed(error, link))
    inherit(socket, link)
    this.#streams?.accept(link)
  }

  #otherProtocol(): Pick<FastPathOptions, 'otherProtocol'> {
    const streams = this.#streams
    return streams === undefined ? {} : {otherProtocol: socket => streams.accept(socket)}
  }

  #refuse(error: Error, socket: Duplex): void {
    const code = codeOf(error)
    // EPIPE and ECONNRESET come here too: nobody is left to be told.
    if (!/^(HPE_|ERR_HTTP_)/.test(code) || !socket.writable) return void socket.destroy()
    const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
    // Bytes behind a last request, and a line that was never used, get no answer.
    const isMute = code === 'HPE_CLOSED_CONNECTION' || (status === 408 && !this.#hasSpoken(socket))
    this.#connection(socket).breakOff(isMute ? '' : refusalText(status))
  }

  #hasSpoken(socket: Duplex): boolean {
    return 'bytesRead' in socket && typeof socket.bytesRead === 'number' && socket.bytesRead > 0
  }
}
