import type {Duplex} from 'node:stream'
import type {ResponseHead} from './response-head.ts'
import type {Exchange, CallHandler} from './http1-call.ts'
import type {Pool} from '../pool.ts'
import {breakOff} from './break-off.ts'
import {replyText, type Reply} from '../reply.ts'
import {statusLine} from '../status.ts'
import type {Failure, ResponseHandler, Upstream} from './upstream.ts'

export interface TunnelOptions {
  /** The caller's connection; node:http has let go of it. */
  readonly socket: Duplex
  /** What came behind the request. */
  readonly early: Buffer
  readonly handler: CallHandler
}

/** Bytes kept of a caller who does not wait for the tunnel. */
const MAX_EARLY = 65_536

/** What asks for the tunnel, and grants it (RFC 6455 §4). */
export const UPGRADE_LINES = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'

/** Answers a request whose connection node:http has let go of, and ends it. */
export const endWith = (socket: Duplex, answer: Reply): void => {
  socket.end(replyText(answer, false, 'Connection: close\r\n'), 'latin1')
}

/**
 * A call that asks for a websocket: with an answer 101 it becomes two streams of bytes, until one side closes; with any
 * other answer it is a plain one, and the connection ends behind it.
 */
export class Tunnel implements ResponseHandler, Exchange {
  readonly toHead = false
  readonly isTunnel = true
  readonly rules: CallHandler['rules']
  isSent = false
  readonly #socket: Duplex
  readonly #handler: CallHandler
  #upstream: Upstream | undefined
  #head = ''
  /** What the caller sent before the tunnel stood. */
  #early: Buffer
  #hasAnswered = false
  #isOpen = false
  #isOver = false

  constructor({socket, early, handler}: TunnelOptions) {
    this.#socket = socket
    this.#early = early
    this.#handler = handler
    this.rules = handler.rules
    socket
      .on('close', () => {
        this.#upstream?.drop()
        this.#upstream = undefined
        this.#done()
      })
      .on('drain', () => this.#upstream?.resume())
      .on('data', (bytes: Buffer) => {
        this.#take(bytes)
      })
      // A caller who leaves before the tunnel stands has left; afterwards he has only finished sending.
      .on('end', () => (this.#isOpen ? this.#upstream?.finishSending() : socket.destroy()))
  }

  send(pool: Pool, head: string): void {
    if (this.#isOver) return
    this.#head = head
    this.#upstream = pool.connect()
    this.#upstream.serve(this)
  }

  reply(answer: Reply): void {
    endWith(this.#socket, answer)
  }

  open(): void {
    this.isSent = true
    this.#upstream?.write(this.#head)
  }

  whole(answer: ResponseHead, body: string): void {
    this.head(answer)
    this.#socket.write(body, 'latin1')
    this.end()
  }

  head(answer: ResponseHead): void {
    this.#hasAnswered = true
    this.#isOpen = answer.status === 101
    const lines = this.#handler.fieldsFor(answer) + (this.#isOpen ? UPGRADE_LINES : 'Connection: close\r\n')
    this.#socket.write(`${statusLine(answer.status)}${lines}\r\n`, 'latin1')
    if (this.#isOpen) this.#take(this.#early)
    this.#socket.resume()
  }

  body(bytes: Buffer): boolean {
    return this.#socket.write(Buffer.from(bytes))
  }

  end(): void {
    this.#upstream = undefined
    this.#socket.end()
    this.#done()
  }

  drain(): void {
    this.#socket.resume()
  }

  fail(failure: Failure, why: string): void {
    this.#upstream = undefined
    if (failure === 'refused') return this.#handler.refused(why)
    if (this.#hasAnswered) {
      breakOff(this.#socket)
      this.#handler.cut(why)
    } else this.#handler.failed(why, failure)
    this.#done()
  }

  crash(error: unknown): void {
    this.#handler.crashed(error)
    this.#socket.destroy()
  }

  /** Bytes of the caller: for the app, or for later. */
  #take(bytes: Buffer): void {
    if (this.#isOpen) {
      if (bytes.length > 0 && this.#upstream?.write(bytes) === false) this.#socket.pause()
      return
    }
    this.#early = Buffer.concat([this.#early, bytes])
    if (this.#early.length > MAX_EARLY) this.#socket.pause()
  }

  #done(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#handler.over()
  }
}
