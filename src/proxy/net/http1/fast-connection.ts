import type net from 'node:net'
import type {Ends} from '../../../platform/proc-net.ts'
import {isOnUnixSocket} from '../claimed-server.ts'
import {abortConnection} from './abort-connection.ts'
import type {ResponseHead} from './response-head.ts'
import type {CallHandler, Downstream} from '../exchange-parts.ts'
import {Exchange} from '../exchange.ts'
import {CallerSocket} from './caller-socket.ts'
import {isHalfLine} from './first-line.ts'
import {closeLingering} from '../../../platform/lingering-close.ts'
import {SMALL} from './late-text.ts'
import {PLAIN_LIMIT, type PlainRequest, type PlainRules} from './plain-request.ts'
import {replyText, type Reply} from '../reply.ts'
import {statusLine} from '../status.ts'
import {writeCopy} from '../write-copy.ts'
import {owned} from '../../../platform/shared-reads.ts'
import {TurnShare} from '../../../platform/own-turn.ts'

/** The owner of a fast path: decides which requests it takes, and handles them. */
export interface PlainRoute {
  /** Rules of plain requests; undefined: no request is plain. */
  readonly rules: PlainRules | undefined
  /** Whether a request waits for its whole, small body, since it is answered without a callee. Omitted: no request does. */
  readonly needsBody?: (request: PlainRequest) => boolean
  /** Starts a plain request by `begin` or `takeWhole`. Returns false, without effect, for a request that node:http has to serve. */
  readonly route: (request: PlainRequest, connection: FastConnection) => boolean
}

/** The methods of a fast path that its connections call. */
export interface FastPathHost {
  readonly isClosing: boolean
  readonly plain: PlainRoute
  /** Reads the plain request at the start of a text; undefined: the text begins with other bytes. */
  read(text: string): PlainRequest | undefined
  /** Gives the connection to node:http, with the bytes that were not parsed yet. */
  handOver(connection: FastConnection, socket: net.Socket, bytes: Buffer): void
  forget(connection: FastConnection): void
}

const NO_BYTES = Buffer.alloc(0)

/**
 * A caller's connection that is parsed without node:http, as long as its requests are plain: recognises a complete head in one pass, and
 * relays bodies with a length. Carries one call at a time. The first other request moves the connection to node:http for good.
 */
export class FastConnection implements Downstream {
  toHead = false
  readonly isOnUnixSocket: boolean
  /** Whether no complete first line has arrived since the last request. */
  isFresh = true
  /** Seconds that the connection has waited for a first line, counted by the fast path. */
  age = 0
  readonly #fastPath: FastPathHost
  readonly #socket: net.Socket
  readonly #caller: CallerSocket
  readonly #exchange: Exchange
  readonly #share = new TurnShare()
  #method = ''
  #length = 0
  /** Bytes of the request's body that neither the exchange has taken nor `#missing` counts. */
  #unsent = 0
  /** Bytes of the request's body that have not arrived, counted once its first part was taken. */
  #missing = 0
  #isChunked = false
  /** Whether a request is being answered without a callee. */
  #isAnswering = false
  /** Called if the caller disconnects while its request is answered without a callee. */
  #gone: (() => void) | undefined

  constructor(fastPath: FastPathHost, socket: net.Socket) {
    this.#fastPath = fastPath
    this.#socket = socket
    this.#exchange = new Exchange(this)
    this.isOnUnixSocket = isOnUnixSocket(socket)
    this.#caller = new CallerSocket(socket, {
      read: bytes => this.#take(bytes),
      end: () => this.destroy(),
      destroy: () => this.destroy(),
      drain: () => {
        this.#exchange.resume()
        this.#next()
      }
    })
  }

  /** Whether a call is in flight, or the next one waits for a turn of the event loop. */
  get isBusy(): boolean {
    return this.#exchange.isBusy || this.#isAnswering || this.#share.isWaiting
  }

  /** Address of the caller; '': it has disconnected. */
  get peer(): string {
    return this.#socket.remoteAddress ?? ''
  }

  get ends(): Ends {
    return this.#socket
  }

  /** Starts the call of the routed request. */
  begin(handler: CallHandler): Exchange {
    return this.#exchange.begin(handler, this.#method, this.#length)
  }

  /** Returns the complete body of the routed request. `answer` responds to it later. */
  takeWhole(): Buffer {
    this.#isAnswering = true
    const body = this.#takeBody()
    return body === undefined ? NO_BYTES : owned(body)
  }

  /** Responds without a callee. `reply`: undefined: closes the connection. */
  answer(reply: Reply | undefined): void {
    this.#isAnswering = false
    this.#gone = undefined
    if (this.#socket.destroyed) return
    if (reply === undefined) return this.destroy()
    this.reply(reply)
    this.done()
  }

  /** Calls the listener if the caller disconnects before `answer`. */
  onGone(listener: () => void): void {
    if (this.#socket.destroyed) listener()
    else this.#gone = listener
  }

  sendBody(): void {
    const isTaken = this.#length === 0 || this.#exchange.sendBody(this.#takeBody(), this.#missing === 0)
    // keeps reading when there is room: Node reports a disconnect only on a socket that is read
    if (this.#missing > 0 ? isTaken : !this.#caller.isFull) this.#caller.resume()
    else this.#socket.pause()
  }

  resume(): void {
    if (this.#missing > 0) this.#socket.resume()
  }

  whole({status}: ResponseHead, lines: string, body: string): void {
    this.#caller.late.add(`${statusLine(status)}${lines}${this.#lastLine}\r\n${body}`)
  }

  head({status, left}: ResponseHead, lines: string): void {
    this.#isChunked = left < 0
    const coding = this.#isChunked ? 'Transfer-Encoding: chunked\r\n' : ''
    this.#caller.writeHead(`${statusLine(status)}${lines}${coding}${this.#lastLine}\r\n`)
  }

  body(bytes: Buffer): boolean {
    if (!this.#isChunked) return this.#caller.writePiece(bytes)
    const size = `${bytes.length.toString(16)}\r\n`
    if (bytes.length <= SMALL) return this.#socket.write(`${size}${bytes.toString('latin1')}\r\n`, 'latin1')
    this.#socket.write(size, 'latin1')
    writeCopy(this.#socket, bytes)
    return this.#socket.write('\r\n', 'latin1')
  }

  end(): void {
    if (this.#isChunked) this.#socket.write('0\r\n\r\n', 'latin1')
  }

  cut(): void {
    this.destroy()
  }

  reset(): void {
    abortConnection(this.#socket)
    this.destroy()
  }

  reply(response: Reply): void {
    this.#caller.late.add(replyText(response, this.toHead, this.#lastLine))
  }

  /** Header line of the last response before the listener closes: a client that reused the connection would get no response. */
  get #lastLine(): string {
    return this.#fastPath.isClosing && this.#caller.early === undefined ? 'Connection: close\r\n' : ''
  }

  /** Discards the rest of the body, and starts the next call. */
  done(): void {
    this.#isChunked = false
    if (this.#length > 0) {
      const body = this.#takeBody()
      if (this.#exchange.isCopying) this.#exchange.sendBody(body, this.#missing === 0)
    }
    this.#next()
  }

  /** Closes the connection and ends its call, also after the caller has disconnected. */
  destroy(): void {
    this.#fastPath.forget(this)
    this.#caller.late.write()
    this.#socket.destroy()
    this.#gone?.()
    this.#exchange.abort()
  }

  /** Called when the listener closes and no call is in flight. Gives a partly received request to node:http, which announces the end. */
  endIdle(keepsUnused: boolean): void {
    const begun = this.#caller.early
    if (this.#missing > 0 || (keepsUnused && this.isFresh && begun === undefined)) return
    if (begun === undefined) this.destroy()
    else this.#fastPath.handOver(this, this.#socket, this.#caller.leave() ?? begun)
  }

  /** Returns the part of the body that has arrived; `#missing` counts the rest from now on. */
  #takeBody(): Buffer | undefined {
    const size = Math.min(this.#unsent, this.#caller.early?.length ?? 0)
    this.#missing += this.#unsent - size
    this.#unsent = 0
    return this.#caller.takeEarly(size)
  }

  #take(bytes: Buffer): void {
    const rest = this.#missing > 0 ? this.#upload(bytes) : bytes
    if (rest.length > 0) this.#caller.addEarly(rest)
    const {writableNeedDrain} = this.#socket
    if (!this.isBusy && !writableNeedDrain) this.#next()
    if (this.#caller.isFull && (this.isBusy || writableNeedDrain)) this.#socket.pause()
    this.#caller.keepEarly()
  }

  /** Sends more of the body to the callee, or discards it after the call's end. Returns the bytes after the body. */
  #upload(bytes: Buffer): Buffer {
    const size = Math.min(this.#missing, bytes.length)
    this.#missing -= size
    const piece = size === bytes.length ? bytes : bytes.subarray(0, size)
    if (!this.#exchange.sendBody(piece, this.#missing === 0) && this.#missing > 0) this.#socket.pause()
    return bytes.subarray(size)
  }

  /** Starts received requests one after the other, as long as their calls end at once and the turn of the event loop has time. */
  #next(): void {
    this.#caller.startAll(() => this.#startNext())
  }

  /** Starts the next request if one has arrived and no call is in flight. Returns true if its call has already ended. */
  #startNext(): boolean {
    const socket = this.#socket
    if (this.isBusy || socket.destroyed || socket.writableNeedDrain) return false
    const bytes = this.#caller.early
    // nothing to start: the rest of a discarded body or the next request has to arrive first
    if (this.#missing > 0 || bytes === undefined) {
      if (this.#fastPath.isClosing && this.#missing === 0) {
        this.#caller.late.write()
        closeLingering(socket)
      } else this.#caller.resume()
      return false
    }
    if (!this.#share.take(() => this.#next())) return false
    if (bytes.length < PLAIN_LIMIT && isHalfLine(bytes)) return this.#waitForMore(true)
    const request = this.#fastPath.read(bytes.toString('latin1', 0, Math.min(PLAIN_LIMIT, bytes.length)))
    if (request !== undefined && bytes.length < request.size + request.length)
      if (this.#fastPath.plain.needsBody?.(request) === true) return this.#waitForMore(false)
    if (request === undefined || this.#fastPath.isClosing || !this.#start(request, bytes)) {
      this.#caller.early = bytes
      this.#fastPath.handOver(this, socket, this.#caller.leave() ?? NO_BYTES)
      return false
    }
    return !this.isBusy
  }

  /** Waits for more bytes. `isFresh`: for the rest of a first line, which shows the caller's protocol; otherwise for the rest of a body. */
  #waitForMore(isFresh: boolean): false {
    if (isFresh && !this.isFresh) this.age = 0
    this.isFresh = isFresh
    this.#caller.resume()
    return false
  }

  #start(request: PlainRequest, bytes: Buffer): boolean {
    this.isFresh = false
    this.#caller.early = request.size === bytes.length ? undefined : bytes.subarray(request.size)
    this.#method = request.method
    this.toHead = request.method === 'HEAD'
    this.#length = request.length
    this.#unsent = request.length
    return this.#fastPath.plain.route(request, this)
  }
}
