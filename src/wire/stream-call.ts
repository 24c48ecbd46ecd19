import type {ServerHttp2Stream} from 'node:http2'
import type {AnswerHead} from './answer.ts'
import {pairsOf} from './bytes.ts'
import {TOO_LARGE, type Carrier, type Conduct} from './forwarding.ts'
import type {Copy} from './mirror.ts'
import type {Pool} from './pool.ts'
import type {Reply} from './reply.ts'
import {nextFor} from './resend.ts'
import {replyStream, respond} from './stream-reply.ts'
import type {Failure, Receiver, Upstream} from './upstream.ts'

export interface StreamCallOptions {
  readonly stream: ServerHttp2Stream
  readonly method: string
  readonly conduct: Conduct
  /** Length of the request's body in bytes, 0 = none, -1 = it says none. */
  readonly length: number
  /** The most bytes of it that are taken, 0 = any number. */
  readonly maxBodyBytes: number
}

/** HTTP/2 has no such status, and nobody asked for it. */
const SWITCHED = 'HTTP status 101 without an upgrade'

/** One call that came over HTTP/2: the same as `Forwarding`, of a stream. */
export class StreamCall implements Receiver, Carrier {
  readonly toHead: boolean
  readonly isTunnel = false
  readonly rules: Conduct['rules']
  isSent = false
  readonly #options: StreamCallOptions
  readonly #stream: ServerHttp2Stream
  readonly #conduct: Conduct
  #pool: Pool | undefined
  #upstream: Upstream | undefined
  #head = ''
  #received = 0
  #isReading = false
  #isOver = false

  constructor(options: StreamCallOptions) {
    const {stream, method, conduct} = options
    this.#options = options
    this.#stream = stream
    this.#conduct = conduct
    this.toHead = method === 'HEAD'
    this.rules = conduct.rules
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
    if (this.#conduct.copy !== undefined) this.#copyUnsent(this.#conduct.copy)
    replyStream(this.#stream, answer, this.toHead)
  }

  open(): void {
    this.#upstream?.write(this.#head)
    if (this.#options.length !== 0) return this.#sendBody()
    this.isSent = true
    this.#conduct.copy?.whole()
  }

  whole(answer: AnswerHead, body: string): void {
    if (answer.status === 101) return this.#giveUp(SWITCHED, 'bad-status')
    this.#upstream = undefined
    if (this.#respond(answer, body === '')) this.#stream.end(body, 'latin1')
    this.#conduct.copy?.answered()
    this.#done()
  }

  head(answer: AnswerHead): void {
    if (answer.status === 101) return this.#giveUp(SWITCHED, 'bad-status')
    this.#respond(answer, false)
  }

  body(bytes: Buffer): boolean {
    return !this.#stream.writable || this.#stream.write(Buffer.from(bytes))
  }

  end(): void {
    this.#upstream = undefined
    this.#stream.end()
    this.#conduct.copy?.answered()
    this.#done()
  }

  drain(): void {
    this.#stream.resume()
  }

  fail(failure: Failure, why: string): void {
    const upstream = this.#upstream
    this.#upstream = undefined
    if (failure === 'refused') return this.#conduct.refused(why)
    const hasBody = this.#options.length !== 0
    this.#upstream = nextFor({failure, method: this.#options.method, hasBody, pool: this.#pool, upstream})
    if (this.#upstream !== undefined) {
      this.#conduct.resent()
      return this.#upstream.serve(this)
    }
    this.#giveUp(why, failure)
  }

  #giveUp(why: string, failure?: Failure): void {
    this.#upstream?.drop()
    this.#upstream = undefined
    if (this.#stream.headersSent) {
      this.#conduct.cut(why)
      // Not close(): that would end the answer first, as if it were whole.
      this.#stream.destroy(new Error(why))
    } else this.#conduct.failed(why, failure)
    this.#done()
  }

  #callerGone(): void {
    // also of the body there will be no more
    this.#conduct.copy?.drop()
    this.#upstream?.drop()
    this.#upstream = undefined
    this.#done()
  }

  #done(): void {
    // What is left of the body is taken and dropped.
    if (!this.isSent && !this.#stream.destroyed) this.#stream.resume()
    if (this.#isOver) return
    this.#isOver = true
    this.#conduct.over()
  }

  #respond(answer: AnswerHead, isLast: boolean): boolean {
    return respond(this.#stream, {status: answer.status, pairs: pairsOf(this.#conduct.fieldsFor(answer)), isLast})
  }

  #sendBody(): void {
    if (this.#isReading) return
    this.#isReading = true
    this.#stream.on('data', (piece: Buffer) => this.#sendPiece(piece)).on('end', () => this.#sendEnd())
  }

  #sendPiece(piece: Buffer): void {
    this.#conduct.copy?.take(piece)
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
    this.#conduct.copy?.whole()
    if (this.#upstream === undefined || this.isSent) return
    this.isSent = true
    if (this.#options.length < 0) this.#upstream.write('0\r\n\r\n')
  }
}
