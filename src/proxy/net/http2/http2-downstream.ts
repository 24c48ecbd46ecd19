import type {ServerHttp2Stream} from 'node:http2'
import {INTERNAL_ERROR} from '#h2-frames'
import type {CallHandler, Downstream, IncomingBody} from '../exchange-parts.ts'
import {Exchange} from '../exchange.ts'
import {writeCopy} from '../write-copy.ts'
import {pairsOf} from '../http1/header-lines.ts'
import type {ResponseHead} from '../http1/response-head.ts'
import type {Reply} from '../reply.ts'
import {replyStream, respond} from './http2-reply.ts'

/** The caller of an HTTP/2 request. */
export class Http2Downstream implements Downstream {
  readonly exchange: Exchange
  readonly toHead: boolean
  readonly isTunnel = false
  readonly refusesSwitch = true
  readonly #stream: ServerHttp2Stream
  readonly #body: IncomingBody
  #isReading = false

  constructor(stream: ServerHttp2Stream, method: string, handler: CallHandler, body: IncomingBody) {
    this.toHead = method === 'HEAD'
    this.#stream = stream
    this.#body = body
    this.exchange = new Exchange(this).begin(handler, method, body.length, body.maxBytes)
    stream
      // A reset stream with unread body data is only closed after they were read.
      .on('aborted', () => this.exchange.abort())
      .on('close', () => this.exchange.abort())
      .on('drain', () => this.exchange.resume())
  }

  sendBody(): void {
    if (this.#body.length === 0 || this.#isReading) return
    this.exchange.sendBody(undefined, false) // sends the head: a caller may wait for the response before it sends the body
    this.#read()
  }

  resume(): void {
    this.#stream.resume()
  }

  whole(head: ResponseHead, lines: string, body: string): void {
    if (this.#respond(head, lines, body === '')) this.#stream.end(body, 'latin1')
  }

  head(head: ResponseHead, lines: string): void {
    this.#respond(head, lines, false)
  }

  body(bytes: Buffer): boolean {
    return !this.#stream.writable || writeCopy(this.#stream, bytes)
  }

  end(): void {
    this.#stream.end()
  }

  cut(why: string): void {
    // Not close(): that would end the response as if it were complete.
    this.#stream.destroy(new Error(why))
  }

  reset(): void {
    this.#stream.close(INTERNAL_ERROR)
  }

  reply(response: Reply): void {
    replyStream(this.#stream, response, this.toHead)
  }

  destroy(): void {
    this.#stream.session?.destroy()
  }

  done(): void {
    if (this.#stream.destroyed) return
    if (this.exchange.isCopying && !this.#isReading) this.#read()
    else this.#stream.resume()
  }

  #respond({status}: ResponseHead, lines: string, isLast: boolean): boolean {
    return respond(this.#stream, {status, pairs: pairsOf(lines), isLast})
  }

  #read(): void {
    this.#isReading = true
    this.#stream
      .on('data', (piece: Buffer) => {
        this.#body.onPiece?.(piece)
        if (!this.exchange.sendBody(piece, false)) this.#stream.pause()
      })
      .on('end', () => {
        // A stream that was reset also ends.
        if (!this.#stream.aborted && this.#stream.rstCode === 0) this.exchange.sendBody(undefined, true)
      })
  }
}
