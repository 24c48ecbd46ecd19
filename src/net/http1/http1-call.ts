import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Socket} from 'node:net'
import type {ResponseHead, FieldRules} from './response-head.ts'
import {breakOff} from './break-off.ts'
import {pairsOf} from './header-lines.ts'
import {askForBody, isAwaitingContinue} from './expect-continue.ts'
import type {Copy} from '../mirror.ts'
import type {Pool} from '../pool.ts'
import {reply, type Reply} from '../reply.ts'
import {nextFor} from './resend.ts'
import {reasonOf} from '../status.ts'
import type {Failure, ResponseHandler, Upstream} from './upstream.ts'

/** What the owner of a call decides; wire moves the bytes. */
export interface CallHandler {
  readonly rules: FieldRules
  /** The call is copied, too: it is told what its body is and that the caller has his answer. */
  readonly copy?: Copy | undefined
  /** The header lines that go to the caller with this answer. */
  fieldsFor(answer: ResponseHead): string
  /** Connecting was refused, nothing of the request is gone: `send` again, or reply. */
  refused(why: string): void
  /** The connection ended before an answer began; the request goes a second time. */
  resent(): void
  /** There will be no answer: reply. Without `failure` it was refused before it was sent. */
  failed(why: string, failure?: Failure): void
  /** The callee broke off within its answer, and the caller was cut. */
  cut(why: string): void
  /** A bug of ours ended the call, and its caller's connection. */
  crashed(error: unknown): void
  /** The call is over, in whatever way. Exactly once. */
  over(): void
}

/** Takes one call to its end: sends it, or answers it for us. */
export interface Exchange {
  /** The request's head as latin1 text, with the empty line. To be called again only after `refused`. */
  send(pool: Pool, head: string): void
  reply(answer: Reply): void
  /** A bug of ours: reports it and closes the caller's connection, which ends the call. */
  crash(error: unknown): void
}

export interface Http1CallOptions {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly handler: CallHandler
  /** Length of the request's body in bytes, 0 = none, -1 = it comes in chunks. */
  readonly length: number
  /** The most bytes of it that are taken, 0 = any number. */
  readonly maxBodyBytes: number
}

/** What a caller is told whose body is larger than allowed (Dapr: kit/streams). */
export const TOO_LARGE = 'stream too large'

const uncork = (socket: Socket): void => socket.uncork()

/** One call: a request of node:http on its way to a callee, and the answer on its way back. */
export class Http1Call implements ResponseHandler, Exchange {
  readonly toHead: boolean
  readonly isTunnel = false
  readonly rules: FieldRules
  isSent = false
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #handler: CallHandler
  readonly #length: number
  readonly #maxBodyBytes: number
  #pool: Pool | undefined
  #upstream: Upstream | undefined
  #head = ''
  #received = 0
  #isReading = false
  #isOver = false

  constructor({request, response, handler, length, maxBodyBytes}: Http1CallOptions) {
    this.toHead = request.method === 'HEAD'
    this.rules = handler.rules
    this.#request = request
    this.#response = response
    this.#handler = handler
    this.#length = length
    this.#maxBodyBytes = maxBodyBytes
    response.on('close', () => this.#callerGone())
    const {copy} = handler
    if (copy !== undefined) {
      // node:http tells a request nothing more of its caller once it is answered
      const {socket} = request
      const drop = (): void => copy.drop()
      socket.once('close', drop)
      request.once('close', () => socket.off('close', drop))
    }
  }

  send(pool: Pool, head: string): void {
    if (this.#isOver) return
    this.#pool = pool
    this.#head = head
    if (this.#maxBodyBytes > 0 && this.#length > this.#maxBodyBytes) return this.#giveUp(TOO_LARGE)
    this.#upstream = pool.take()
    this.#upstream.serve(this)
  }

  reply(answer: Reply): void {
    if (!this.#response.destroyed) this.#copyUnsent()
    reply(this.#request, this.#response, answer)
  }

  open(): void {
    if (this.#length === 0) {
      this.isSent = true
      this.#handler.copy?.whole()
      this.#upstream?.write(this.#head)
    } else {
      // The body that came with the head is parsed after the handler that sees the head: wait for it, and write once.
      process.nextTick(() => {
        try {
          this.#sendBody()
        } catch (error) {
          this.crash(error)
        }
      })
    }
  }

  whole(answer: ResponseHead, body: string): void {
    this.#upstream = undefined
    this.#writeHead(answer)
    this.#response.end(body, 'latin1')
    this.#handler.copy?.answered()
    this.#done()
  }

  head(answer: ResponseHead): void {
    const {socket} = this.#response
    if (socket !== null) {
      socket.cork()
      process.nextTick(uncork, socket)
    }
    this.#writeHead(answer)
    // Not flushHeaders(): that writes the head as UTF-8.
    this.#response.write('', 'latin1')
    this.#response.on('drain', () => this.#upstream?.resume())
  }

  body(bytes: Buffer): boolean {
    return this.#response.write(Buffer.from(bytes))
  }

  end(): void {
    this.#upstream = undefined
    this.#response.end()
    this.#handler.copy?.answered()
    this.#done()
  }

  drain(): void {
    this.#request.resume()
  }

  fail(failure: Failure, why: string): void {
    const upstream = this.#upstream
    this.#upstream = undefined
    if (failure === 'refused') return this.#handler.refused(why)
    this.#upstream = nextFor({
      failure,
      method: this.#request.method ?? '',
      hasBody: this.#length !== 0,
      pool: this.#pool,
      upstream
    })
    if (this.#upstream !== undefined) {
      this.#handler.resent()
      return this.#upstream.serve(this)
    }
    if (failure !== 'cut') return this.#giveUp(why, failure)
    this.#cut(why)
    this.#done()
  }

  #giveUp(why: string, failure?: Failure): void {
    this.#upstream?.drop()
    this.#upstream = undefined
    if (this.#response.headersSent) this.#cut(why)
    else this.#handler.failed(why, failure)
    this.#done()
  }

  #cut(why: string): void {
    // Without chunks the end of the connection would be that of the answer.
    if (this.#request.httpVersionMinor === 0) breakOff(this.#request.socket)
    else this.#response.destroy()
    this.#handler.cut(why)
  }

  crash(error: unknown): void {
    this.#handler.crashed(error)
    this.#request.socket.destroy()
  }

  #callerGone(): void {
    this.#handler.copy?.gone()
    this.#upstream?.drop()
    this.#upstream = undefined
    this.#done()
  }

  #done(): void {
    // What is left of the body is taken and dropped, so that the line goes on.
    if (this.#isReading && !this.isSent) this.#request.resume()
    if (this.#isOver) return
    this.#isOver = true
    this.#handler.over()
  }

  #writeHead(answer: ResponseHead): void {
    const response = this.#response
    response.sendDate = false
    // Of HTTP/1.1 without `close`, node's own Connection field would say nothing.
    if (response.shouldKeepAlive && this.#request.httpVersionMinor === 1) response.removeHeader('connection')
    response.writeHead(answer.status, reasonOf(answer.status), pairsOf(this.#handler.fieldsFor(answer)))
  }

  /** The first of the body: mostly all of it has come by now, and head and body are one write. */
  #sendBody(): void {
    const upstream = this.#upstream
    if (upstream === undefined) return
    if (isAwaitingContinue(this.#request)) askForBody(this.#request, this.#response)
    const first = this.#request.read() as Buffer | null
    const isWhole = this.#request.complete && this.#request.readableLength === 0
    this.#copyFirst(first, isWhole)
    this.#received = first?.length ?? 0
    if (this.#isTooLarge()) return this.#giveUp(TOO_LARGE)
    const isTaken = this.#write(upstream, this.#head, first, isWhole)
    this.isSent = isWhole
    if (isWhole) return
    this.#isReading = true
    this.#request.on('data', (piece: Buffer) => this.#sendPiece(piece)).on('end', () => this.#sendEnd())
    if (!isTaken) this.#request.pause()
  }

  #sendPiece(piece: Buffer): void {
    this.#handler.copy?.take(piece)
    const upstream = this.#upstream
    if (upstream === undefined) return
    this.#received += piece.length
    if (this.#isTooLarge()) return this.#giveUp(TOO_LARGE)
    if (!this.#write(upstream, '', piece, false)) this.#request.pause()
  }

  #sendEnd(): void {
    this.#handler.copy?.whole()
    const upstream = this.#upstream
    if (upstream === undefined || this.isSent) return
    this.isSent = true
    if (this.#length < 0) upstream.write('0\r\n\r\n')
  }

  #copyFirst(first: Buffer | null, isWhole: boolean): void {
    const {copy} = this.#handler
    if (first !== null) copy?.take(first)
    if (isWhole) copy?.whole()
  }

  /** Answered by ourselves: what has not been read of the body is read for the copy alone. */
  #copyUnsent(): void {
    const {copy} = this.#handler
    if (copy === undefined) return
    copy.answered()
    if (this.#length === 0) copy.whole()
    else if (!this.#isReading && !this.isSent && !isAwaitingContinue(this.#request))
      this.#request.on('data', (piece: Buffer) => copy.take(piece)).on('end', () => copy.whole())
  }

  #isTooLarge(): boolean {
    return this.#maxBodyBytes > 0 && this.#received > this.#maxBodyBytes
  }

  /** Text, then a piece of the body in the framing that the caller used; one write where it is small. */
  #write(upstream: Upstream, text: string, piece: Buffer | null, isLast: boolean): boolean {
    const inChunks = this.#length < 0
    const size = piece?.length ?? 0
    const before = inChunks && size > 0 ? `${text}${size.toString(16)}\r\n` : text
    const after = inChunks ? `${size > 0 ? '\r\n' : ''}${isLast ? '0\r\n\r\n' : ''}` : ''
    return upstream.writeAll(before, piece ?? undefined, after)
  }
}
