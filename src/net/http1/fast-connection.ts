import type net from 'node:net'
import {isOnUnixSocket} from '../claimed-server.ts'
import type {ResponseHead} from './response-head.ts'
import type {CallHandler} from '../call-handler.ts'
import type {Downstream} from '../downstream.ts'
import {Exchange} from '../exchange.ts'
import {isHalfLine} from './first-line.ts'
import {PLAIN_LIMIT, readPlain, type PlainRequest, type PlainRules} from './plain-request.ts'
import {replyText, type Reply} from '../reply.ts'
import {statusLine} from '../status.ts'

/** What a fast connection needs of the fast path it is on. */
export interface FastPathHost {
  readonly isClosing: boolean
  readonly rules: PlainRules
  /** Takes a plain request on: `begin` gives its exchange. False, and nothing done: not for the fast path. */
  route(request: PlainRequest, connection: FastConnection): boolean
  /** Gives the connection, and the bytes that nobody has read yet, to node:http. */
  handOver(connection: FastConnection, socket: net.Socket, bytes: Buffer): void
  forget(connection: FastConnection): void
}

/** Early bytes above this stop the reading: the caller is to wait. */
const MAX_EARLY = 8192

/** Bytes up to here are written as text. */
const SMALL = 16_000

const uncork = (socket: net.Socket): void => socket.uncork()

/**
 * One caller's connection, read without node:http: whole, plain requests are recognised in one pass, their bodies
 * counted through. One call at a time. What is not recognised goes to node:http with its bytes, and never comes back.
 */
export class FastConnection implements Downstream {
  toHead = false
  readonly isTunnel = false
  readonly refusesSwitch = false
  readonly isOnUnixSocket: boolean
  /** Nothing was asked yet, or not more than a part of a first line. */
  isFresh = true
  /** Seconds since it came, counted by the fast path. */
  age = 0
  readonly #fastPath: FastPathHost
  readonly #socket: net.Socket
  readonly #listeners: Readonly<Record<string, (bytes: Buffer) => void>>
  readonly #exchange: Exchange
  #pending: Buffer | undefined
  #method = ''
  #length = 0
  /** Bytes of the request's body that are still among the pending ones, or behind them. */
  #untaken = 0
  /** Bytes of it that are on their way. */
  #need = 0
  #isChunked = false
  #isTurning = false

  constructor(fastPath: FastPathHost, socket: net.Socket) {
    this.#fastPath = fastPath
    this.#socket = socket
    this.#exchange = new Exchange(this)
    this.isOnUnixSocket = isOnUnixSocket(socket)
    this.#listeners = {
      data: bytes => {
        this.#take(bytes)
      },
      end: () => {
        this.destroy()
      },
      close: () => {
        this.destroy()
      },
      error: () => {
        this.destroy()
      },
      drain: () => {
        this.#exchange.resume()
        this.#next()
      }
    }
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener)
  }

  /** A call is under way. */
  get isBusy(): boolean {
    return this.#exchange.isBusy
  }

  /** The caller's address, '' when he has left. */
  get peer(): string {
    return this.#socket.remoteAddress ?? ''
  }

  /** Takes on the call that the routed request asks for. */
  begin(handler: CallHandler): Exchange {
    return this.#exchange.begin(handler, this.#method, this.#length)
  }

  sendBody(): void {
    let isTaken = true
    if (this.#length > 0) {
      const body = this.#takeBody()
      isTaken = this.#exchange.sendBody(body, this.#need === 0)
    }
    // A caller who is not read cannot be seen to leave.
    const goesOn = this.#need > 0 ? isTaken : (this.#pending?.length ?? 0) <= MAX_EARLY
    if (!goesOn) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  resume(): void {
    if (this.#need > 0) this.#socket.resume()
  }

  whole({status}: ResponseHead, fields: string, body: string): void {
    this.#socket.write(`${statusLine(status)}${fields}\r\n${body}`, 'latin1')
  }

  head({status, left}: ResponseHead, fields: string): void {
    this.#isChunked = left < 0
    this.#socket.cork()
    process.nextTick(uncork, this.#socket)
    const coding = this.#isChunked ? 'Transfer-Encoding: chunked\r\n' : ''
    this.#socket.write(`${statusLine(status)}${fields}${coding}\r\n`, 'latin1')
  }

  body(bytes: Buffer): boolean {
    const {length} = bytes
    if (length <= SMALL) {
      const text = bytes.toString('latin1')
      return this.#socket.write(this.#isChunked ? `${length.toString(16)}\r\n${text}\r\n` : text, 'latin1')
    }
    if (this.#isChunked) this.#socket.write(`${length.toString(16)}\r\n`, 'latin1')
    const isTaken = this.#socket.write(Buffer.from(bytes))
    return this.#isChunked ? this.#socket.write('\r\n', 'latin1') : isTaken
  }

  end(): void {
    if (this.#isChunked) this.#socket.write('0\r\n\r\n', 'latin1')
  }

  cut(): void {
    this.destroy()
  }

  reply(answer: Reply): void {
    this.#socket.write(replyText(answer, this.toHead), 'latin1')
  }

  /** What is left of the body is dropped, and the next call starts. */
  done(): void {
    this.#isChunked = false
    if (this.#length > 0) {
      const body = this.#takeBody()
      if (this.#exchange.isCopying) this.#exchange.sendBody(body, this.#need === 0)
    }
    this.#next()
  }

  /** The caller left, or is cut. */
  destroy(): void {
    this.#fastPath.forget(this)
    this.#socket.destroy()
    this.#exchange.abort()
  }

  /** The part of the body that is here. */
  #takeBody(): Buffer | undefined {
    const size = Math.min(this.#untaken, this.#pending?.length ?? 0)
    this.#need += this.#untaken - size
    this.#untaken = 0
    if (size === 0) return undefined
    const body = this.#pending?.subarray(0, size)
    this.#pending = size === this.#pending?.length ? undefined : this.#pending?.subarray(size)
    return body
  }

  #take(bytes: Buffer): void {
    const rest = this.#need > 0 ? this.#upload(bytes) : bytes
    if (rest.length > 0) this.#pending = this.#pending === undefined ? rest : Buffer.concat([this.#pending, rest])
    if (!this.isBusy && !this.#socket.writableNeedDrain) this.#next()
    else if ((this.#pending?.length ?? 0) > MAX_EARLY) this.#socket.pause()
  }

  /** More of a counted body; dropped when nobody wants it any more. What follows it is left. */
  #upload(bytes: Buffer): Buffer {
    const size = Math.min(this.#need, bytes.length)
    this.#need -= size
    const piece = size === bytes.length ? bytes : bytes.subarray(0, size)
    if (!this.#exchange.sendBody(piece, this.#need === 0)) this.#socket.pause()
    return bytes.subarray(size)
  }

  /** Starts what is pending, request by request, while they are answered at once. */
  #next(): void {
    if (this.#isTurning) return
    this.#isTurning = true
    while (this.#turn());
    this.#isTurning = false
  }

  /** Starts a request if it is time for one; true: it is over already. */
  #turn(): boolean {
    const socket = this.#socket
    if (this.isBusy || socket.destroyed || socket.writableNeedDrain) return false
    const bytes = this.#pending
    // The rest of a body that nobody wants any more, or the next request.
    if (this.#need > 0 || bytes === undefined) {
      if (this.#fastPath.isClosing && this.#need === 0) socket.end(() => socket.destroy())
      else if (socket.isPaused()) socket.resume()
      return false
    }
    if (bytes.length < PLAIN_LIMIT && isHalfLine(bytes)) return this.#waitForLine()
    const request = readPlain(bytes.toString('latin1', 0, Math.min(PLAIN_LIMIT, bytes.length)), this.#fastPath.rules)
    if (request === undefined || this.#fastPath.isClosing || !this.#start(request, bytes)) {
      this.#handOver(bytes)
      return false
    }
    return !this.isBusy
  }

  /** What protocol is spoken shows with the first line. */
  #waitForLine(): false {
    if (!this.isFresh) this.age = 0
    this.isFresh = true
    if (this.#socket.isPaused()) this.#socket.resume()
    return false
  }

  #start(request: PlainRequest, bytes: Buffer): boolean {
    this.isFresh = false
    this.#pending = request.size === bytes.length ? undefined : bytes.subarray(request.size)
    this.#method = request.method
    this.toHead = request.method === 'HEAD'
    this.#length = request.length
    this.#untaken = request.length
    return this.#fastPath.route(request, this)
  }

  #handOver(bytes: Buffer): void {
    for (const [event, listener] of Object.entries(this.#listeners)) this.#socket.removeListener(event, listener)
    this.#fastPath.handOver(this, this.#socket, bytes)
  }
}
