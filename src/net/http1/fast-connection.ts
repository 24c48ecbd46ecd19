import type net from 'node:net'
import {PLAIN_RULES, type ResponseHead, type FieldRules} from './response-head.ts'
import {isOnUnixSocket} from '../claimed-server.ts'
import type {Exchange, CallHandler} from './http1-call.ts'
import type {Copy} from '../mirror.ts'
import {isHalfLine} from './first-line.ts'
import {PLAIN_LIMIT, readPlain, type PlainRequest, type PlainRules} from './plain-request.ts'
import type {Pool} from '../pool.ts'
import {replyText, type Reply} from '../reply.ts'
import {nextFor} from './resend.ts'
import {statusLine} from '../status.ts'
import type {Failure, ResponseHandler, Upstream} from './upstream.ts'

/** What a fast line needs of the fast path it is on. */
export interface FastPathHost {
  readonly isClosing: boolean
  readonly rules: PlainRules
  /** Takes a plain request on: its exchange will be asked to send or reply. False, and nothing done: not for this lane. */
  route(request: PlainRequest, connection: FastConnection): boolean
  /** Gives the connection, and the bytes that nobody has read yet, to node:http. */
  handOver(connection: FastConnection, socket: net.Socket, bytes: Buffer): void
  forget(connection: FastConnection): void
  /** Told of a bug of ours that ended a connection. */
  crashed(error: unknown): void
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
export class FastConnection implements ResponseHandler, Exchange {
  toHead = false
  isSent = false
  readonly isTunnel = false
  readonly isOnUnixSocket: boolean
  rules: FieldRules = PLAIN_RULES
  /** Nothing was asked yet, or not more than a part of a first line. */
  isFresh = true
  /** Seconds since it came, counted by its lane. */
  age = 0
  readonly #fastPath: FastPathHost
  readonly #socket: net.Socket
  readonly #listeners: Readonly<Record<string, (bytes: Buffer) => void>>
  #pending: Buffer | undefined
  #handler: CallHandler | undefined
  /** It lives on until the whole body has come. */
  #copy: Copy | undefined
  #pool: Pool | undefined
  #upstream: Upstream | undefined
  #method = ''
  #head = ''
  /** Bytes of the request's body that are still among the pending ones, or behind them. */
  #untaken = 0
  /** Bytes of it that are on their way. */
  #need = 0
  #hasBody = false
  #hasAnswered = false
  #isChunked = false
  #isTurning = false

  constructor(fastPath: FastPathHost, socket: net.Socket) {
    this.#fastPath = fastPath
    this.#socket = socket
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
        this.#upstream?.resume()
        this.#next()
      }
    }
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener)
  }

  /** A call is under way. */
  get isBusy(): boolean {
    return this.#handler !== undefined
  }

  /** The caller's address, '' when he has left. */
  get peer(): string {
    return this.#socket.remoteAddress ?? ''
  }

  /** Who decides about the request that was just routed. */
  begin(handler: CallHandler): this {
    this.#handler = handler
    this.#copy = handler.copy
    this.rules = handler.rules
    return this
  }

  send(pool: Pool, head: string): void {
    if (this.#handler === undefined) return
    this.#pool = pool
    this.#head = head
    this.#upstream = pool.take()
    this.#upstream.serve(this)
  }

  reply(answer: Reply): void {
    if (this.#handler === undefined) return
    this.#socket.write(replyText(answer, this.toHead), 'latin1')
    this.#done()
  }

  open(): void {
    const upstream = this.#upstream
    if (upstream === undefined) return
    const body = this.#takeBody()
    this.isSent = this.#need === 0
    const isTaken = upstream.writeAll(this.#head, body)
    // A caller who is not read cannot be seen to leave.
    const goesOn = this.#need > 0 ? isTaken : (this.#pending?.length ?? 0) <= MAX_EARLY
    if (!goesOn) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  whole(answer: ResponseHead, body: string): void {
    this.#upstream = undefined
    this.#socket.write(`${this.#headText(answer)}\r\n${body}`, 'latin1')
    this.#done()
  }

  head(answer: ResponseHead): void {
    this.#hasAnswered = true
    this.#isChunked = answer.left < 0
    this.#socket.cork()
    process.nextTick(uncork, this.#socket)
    const coding = this.#isChunked ? 'Transfer-Encoding: chunked\r\n' : ''
    this.#socket.write(`${this.#headText(answer)}${coding}\r\n`, 'latin1')
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
    this.#upstream = undefined
    if (this.#isChunked) this.#socket.write('0\r\n\r\n', 'latin1')
    this.#done()
  }

  drain(): void {
    if (this.#need > 0) this.#socket.resume()
  }

  fail(failure: Failure, why: string): void {
    const upstream = this.#upstream
    const handler = this.#handler
    this.#upstream = undefined
    if (handler === undefined) return
    if (failure === 'refused') return handler.refused(why)
    this.#upstream = nextFor({failure, method: this.#method, hasBody: this.#hasBody, pool: this.#pool, upstream})
    if (this.#upstream !== undefined) {
      handler.resent()
      return this.#upstream.serve(this)
    }
    if (!this.#hasAnswered) return handler.failed(why, failure)
    handler.cut(why)
    this.destroy()
  }

  crash(error: unknown): void {
    this.#fastPath.crashed(error)
    this.#socket.destroy()
  }

  /** The caller left, or is cut. */
  destroy(): void {
    this.#fastPath.forget(this)
    this.#upstream?.drop()
    this.#upstream = undefined
    this.#copy?.drop()
    const handler = this.#handler
    this.#handler = undefined
    this.#socket.destroy()
    handler?.over()
  }

  #headText(answer: ResponseHead): string {
    return statusLine(answer.status) + (this.#handler?.fieldsFor(answer) ?? '')
  }

  /** The call is over; what is left of its body is dropped, and the next one starts. */
  #done(): void {
    const handler = this.#handler
    this.#handler = undefined
    this.#hasAnswered = false
    this.#isChunked = false
    this.#takeBody()
    this.#copy?.answered()
    handler?.over()
    this.#next()
  }

  /** The part of the body that is here. */
  #takeBody(): Buffer | undefined {
    const size = Math.min(this.#untaken, this.#pending?.length ?? 0)
    this.#need += this.#untaken - size
    this.#untaken = 0
    const body = size === 0 ? undefined : this.#pending?.subarray(0, size)
    if (size > 0) this.#pending = size === this.#pending?.length ? undefined : this.#pending?.subarray(size)
    if (this.#copy !== undefined) this.#copyBody(this.#copy, body)
    return body
  }

  #copyBody(copy: Copy, bytes: Buffer | undefined): void {
    if (bytes !== undefined) copy.take(bytes)
    if (this.#need === 0) copy.whole()
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
    if (this.#copy !== undefined) this.#copyBody(this.#copy, bytes.subarray(0, size))
    if (this.#upstream !== undefined) {
      this.isSent = this.#need === 0
      if (!this.#upstream.write(size === bytes.length ? bytes : bytes.subarray(0, size))) this.#socket.pause()
    }
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
    this.#untaken = request.length
    this.#hasBody = request.length > 0
    this.isSent = false
    return this.#fastPath.route(request, this)
  }

  #handOver(bytes: Buffer): void {
    for (const [event, listener] of Object.entries(this.#listeners)) this.#socket.removeListener(event, listener)
    this.#fastPath.handOver(this, this.#socket, bytes)
  }
}
