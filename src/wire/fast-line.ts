import type net from 'node:net'
import {PLAIN_RULES, type AnswerHead, type FieldRules} from './answer.ts'
import type {Carrier, Conduct} from './forwarding.ts'
import type {Copy} from './mirror.ts'
import {isHalfLine} from './first-line.ts'
import {PLAIN_LIMIT, readPlain, type PlainRequest, type PlainRules} from './plain-request.ts'
import type {Pool} from './pool.ts'
import {replyText, type Reply} from './reply.ts'
import {nextFor} from './resend.ts'
import type {Failure, Receiver, Upstream} from './upstream.ts'

/** What a fast line needs of the lane it is on. */
export interface Lane {
  readonly isClosing: boolean
  readonly rules: PlainRules
  /** Takes a plain request on: its carrier will be asked to send or reply. False, and nothing done: not for this lane. */
  route(request: PlainRequest, line: FastLine): boolean
  /** Gives the connection, and the bytes that nobody has read yet, to node:http. */
  handOver(line: FastLine, socket: net.Socket, bytes: Buffer): void
  forget(line: FastLine): void
}

/** Early bytes above this stop the reading: the caller is to wait. */
const EARLY_MOST = 8192

/** Bytes up to here are written as text. */
const SMALL = 16_000

const uncork = (socket: net.Socket): void => socket.uncork()

/**
 * One caller's connection, read without node:http: whole, plain requests are recognised in one pass, their bodies
 * counted through. One call at a time. What is not recognised goes to node:http with its bytes, and never comes back.
 */
export class FastLine implements Receiver, Carrier {
  toHead = false
  isSent = false
  readonly isTunnel = false
  rules: FieldRules = PLAIN_RULES
  /** Nothing was asked yet, or not more than a part of a first line. */
  isFresh = true
  /** Seconds since it came, counted by its lane. */
  age = 0
  readonly #lane: Lane
  readonly #socket: net.Socket
  readonly #listeners: Readonly<Record<string, (bytes: Buffer) => void>>
  #pending: Buffer | undefined
  #conduct: Conduct | undefined
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

  constructor(lane: Lane, socket: net.Socket) {
    this.#lane = lane
    this.#socket = socket
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
    return this.#conduct !== undefined
  }

  /** The caller's address, '' when he has left. */
  get peer(): string {
    return this.#socket.remoteAddress ?? ''
  }

  /** Who decides about the request that was just routed. */
  begin(conduct: Conduct): this {
    this.#conduct = conduct
    this.#copy = conduct.copy
    this.rules = conduct.rules
    return this
  }

  send(pool: Pool, head: string): void {
    if (this.#conduct === undefined) return
    this.#pool = pool
    this.#head = head
    this.#upstream = pool.take()
    this.#upstream.serve(this)
  }

  reply(answer: Reply): void {
    if (this.#conduct === undefined) return
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
    const goesOn = this.#need > 0 ? isTaken : (this.#pending?.length ?? 0) <= EARLY_MOST
    if (!goesOn) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  whole(answer: AnswerHead, body: string): void {
    this.#upstream = undefined
    this.#socket.write(`${this.#headText(answer)}\r\n${body}`, 'latin1')
    this.#done()
  }

  head(answer: AnswerHead): void {
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
    const conduct = this.#conduct
    this.#upstream = undefined
    if (conduct === undefined) return
    if (failure === 'refused') return conduct.refused(why)
    this.#upstream = nextFor({failure, method: this.#method, hasBody: this.#hasBody, pool: this.#pool, upstream})
    if (this.#upstream !== undefined) {
      conduct.resent()
      return this.#upstream.serve(this)
    }
    if (!this.#hasAnswered) return conduct.failed(why, failure)
    conduct.cut(why)
    this.destroy()
  }

  /** The caller left, or is cut. */
  destroy(): void {
    this.#lane.forget(this)
    this.#upstream?.drop()
    this.#upstream = undefined
    this.#copy?.drop()
    const conduct = this.#conduct
    this.#conduct = undefined
    this.#socket.destroy()
    conduct?.over()
  }

  #headText(answer: AnswerHead): string {
    return `HTTP/1.1 ${answer.status.toString()} ${answer.reason}\r\n${this.#conduct?.fieldsFor(answer) ?? ''}`
  }

  /** The call is over; what is left of its body is dropped, and the next one starts. */
  #done(): void {
    const conduct = this.#conduct
    this.#conduct = undefined
    this.#hasAnswered = false
    this.#isChunked = false
    this.#takeBody()
    this.#copy?.answered()
    conduct?.over()
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
    else if ((this.#pending?.length ?? 0) > EARLY_MOST) this.#socket.pause()
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
      if (this.#lane.isClosing && this.#need === 0) socket.end(() => socket.destroy())
      else if (socket.isPaused()) socket.resume()
      return false
    }
    if (bytes.length < PLAIN_LIMIT && isHalfLine(bytes)) return this.#waitForLine()
    const request = readPlain(bytes.toString('latin1', 0, Math.min(PLAIN_LIMIT, bytes.length)), this.#lane.rules)
    if (request === undefined || this.#lane.isClosing || !this.#start(request, bytes)) {
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
    return this.#lane.route(request, this)
  }

  #handOver(bytes: Buffer): void {
    for (const [event, listener] of Object.entries(this.#listeners)) this.#socket.removeListener(event, listener)
    this.#lane.handOver(this, this.#socket, bytes)
  }
}
