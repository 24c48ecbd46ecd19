import type {ServerHttp2Stream} from 'node:http2'
import type {ResponseHead} from '../http1/response-head.ts'
import {pairsOf} from '../http1/header-lines.ts'
import {TOO_LARGE, type Exchange, type CallHandler} from '../http1/http1-call.ts'
import type {Copy} from '../mirror.ts'
import type {Pool} from '../pool.ts'
import type {Reply} from '../reply.ts'
import {nextFor} from '../http1/resend.ts'
import {replyStream, respond} from './http2-reply.ts'
import type {Failure, ResponseHandler, Upstream} from '../http1/upstream.ts'

export interface Http2CallOptions {
  readonly stream: ServerHttp2Stream
  readonly method: string
  readonly handler: CallHandler
  /** Length of the request's body in bytes, 0 = none, -1 = it says none. */
  readonly length: number
  /** The most bytes of it that are taken, 0 = any number. */
  readonly maxBodyBytes: number
}

/** HTTP/2 has no such status, and nobody asked for it. */
const SWITCHED = 'HTTP status 101 without an upgrade'

/** One call that came over HTTP/2: the same as `Http1Call`, of a stream. */
export class Http2Call implements ResponseHandler, Exchange {
  readonly toHead: boolean
  readonly isTunnel = false
  readonly rules: CallHandler['rules']
  isSent = false
  readonly #options: Http2CallOptions
  readonly #stream: ServerHttp2Stream
  readonly #handler: CallHandler
  #pool: Pool | undefined
  #upstream: Upstream | undefined
  #head = ''
  #received = 0
  #isReading = false
  #isOver = false

  constructor(options: Http2CallOptions) {
    const {stream, method, handler} = options
    this.#options = options
    this.#stream = stream
    this.#handler = handler
    this.toHead = method === 'HEAD'
    this.rules = handler.rules
    stream
      // One that is reset while its body waits to be read is not closed before that was read.
      .on('aborted', () => this.#callerGone())
      .on('close', () => this.#callerGone())
      .on('drain', () => this.#upstream?.resume())
  }

  send(pool: Pool, head: string): void {
    if (this.#isOver) return
    this.#pool = pool
    this.#head = head
    this.#upstream = pool.take()
    this.#upstream.serve(this)
  }

  reply(answer: Reply): void {
    if (this.#handler.copy !== undefined) this.#copyUnsent(this.#handler.copy)
    replyStream(this.#stream, answer, this.toHead)
  }

  open(): void {
    this.#upstream?.write(this.#head)
    if (this.#options.length !== 0) return this.#sendBody()
    this.isSent = true
    this.#handler.copy?.whole()
  }

  whole(answer: ResponseHead, body: string): void {
    if (answer.status === 101) return this.#giveUp(SWITCHED, 'bad-status')
    this.#upstream = undefined
    if (this.#respond(answer, body === '')) this.#stream.end(body, 'latin1')
    this.#handler.copy?.answered()
    this.#done()
  }

  head(answer: ResponseHead): void {
    if (answer.status === 101) return this.#giveUp(SWITCHED, 'bad-status')
    this.#respond(answer, false)
  }

  body(bytes: Buffer): boolean {
    return !this.#stream.writable || this.#stream.write(Buffer.from(bytes))
  }

  end(): void {
    this.#upstream = undefined
    this.#stream.end()
    this.#handler.copy?.answered()
    this.#done()
  }

  drain(): void {
    this.#stream.resume()
  }

  fail(failure: Failure, why: string): void {
    const upstream = this.#upstream
    this.#upstream = undefined
    if (failure === 'refused') return this.#handler.refused(why)
    const hasBody = this.#options.length !== 0
    this.#upstream = nextFor({failure, method: this.#options.method, hasBody, pool: this.#pool, upstream})
    if (this.#upstream !== undefined) {
      this.#handler.resent()
      return this.#upstream.serve(this)
    }
    this.#giveUp(why, failure)
  }

  #giveUp(why: string, failure?: Failure): void {
    this.#upstream?.drop()
    this.#upstream = undefined
    if (this.#stream.headersSent) {
      this.#handler.cut(why)
      // Not close(): that would end the answer first, as if it were whole.
      this.#stream.destroy(new Error(why))
    } else this.#handler.failed(why, failure)
    this.#done()
  }

  crash(error: unknown): void {
    this.#handler.crashed(error)
    this.#stream.session?.destroy()
  }

  #callerGone(): void {
    // also of the body there will be no more
    this.#handler.copy?.drop()
    this.#upstream?.drop()
    this.#upstream = undefined
    this.#done()
  }

  #done(): void {
    // What is left of the body is taken and dropped.
    if (!this.isSent && !this.#stream.destroyed) this.#stream.resume()
    if (this.#isOver) return
    this.#isOver = true
    this.#handler.over()
  }

  #respond(answer: ResponseHead, isLast: boolean): boolean {
    return respond(this.#stream, {status: answer.status, pairs: pairsOf(this.#handler.fieldsFor(answer)), isLast})
  }

  #sendBody(): void {
    if (this.#isReading) return
    this.#isReading = true
    this.#stream.on('data', (piece: Buffer) => this.#sendPiece(piece)).on('end', () => this.#sendEnd())
  }

  #sendPiece(piece: Buffer): void {
    this.#handler.copy?.take(piece)
    const upstream = this.#upstream
    if (upstream === undefined) return
    const {length, maxBodyBytes} = this.#options
    this.#received += piece.length
    if (maxBodyBytes > 0 && this.#received > maxBodyBytes) return this.#giveUp(TOO_LARGE)
    const isTaken =
      length < 0 ? upstream.writeAll(`${piece.length.toString(16)}\r\n`, piece, '\r\n') : upstream.write(piece)
    if (!isTaken) this.#stream.pause()
  }

  /** Answered by ourselves: what has not been read of the body is read for the copy alone. */
  #copyUnsent(copy: Copy): void {
    copy.answered()
    if (this.#options.length === 0) copy.whole()
    else if (!this.isSent) this.#sendBody()
  }

  #sendEnd(): void {
    // A stream that was reset ends, too.
    if (this.#stream.aborted || this.#stream.rstCode !== 0) return
    this.#handler.copy?.whole()
    if (this.#upstream === undefined || this.isSent) return
    this.isSent = true
    if (this.#options.length < 0) this.#upstream.write('0\r\n\r\n')
  }
}
