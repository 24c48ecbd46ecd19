import type {CallHandler, Downstream, IncomingBody} from '../exchange-parts.ts'
import {Exchange} from '../exchange.ts'
import {pairsOf} from '../http1/header-lines.ts'
import type {ResponseHead} from '../http1/response-head.ts'
import type {Reply} from '../reply.ts'
import type {Http2Stream} from './http2-stream.ts'

/** The caller's side of a call whose request arrived over HTTP/2. */
export class Http2Downstream implements Downstream {
  readonly exchange: Exchange
  readonly toHead: boolean
  readonly refusesSwitch = true
  readonly #stream: Http2Stream
  readonly #body: IncomingBody
  #isReading = false

  constructor(stream: Http2Stream, method: string, handler: CallHandler, body: IncomingBody) {
    this.toHead = method === 'HEAD'
    this.#stream = stream
    this.#body = body
    this.exchange = new Exchange(this).begin(handler, method, body.length, body.maxBytes)
    stream.on('close', () => this.exchange.abort()).on('drain', () => this.exchange.resume())
  }

  sendBody(): void {
    if (this.#body.length === 0 || this.#isReading) return
    this.exchange.sendBody(undefined, false) // sends the head alone, since a caller may wait for the response before it sends the body
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
    return !this.#stream.writable || this.#stream.write(bytes.toString('latin1'), 'latin1')
  }

  end(): void {
    this.#stream.end()
  }

  cut(): void {
    this.#stream.close()
  }

  reset(): void {
    this.#stream.close()
  }

  reply(response: Reply): void {
    this.#stream.reply(response, this.toHead)
  }

  destroy(): void {
    this.#stream.connection.destroy('internal error')
  }

  done(): void {
    if (this.#stream.destroyed) return
    if (this.exchange.isCopying && !this.#isReading) this.#read()
    else this.#stream.resume()
  }

  #respond({status}: ResponseHead, lines: string, isLast: boolean): boolean {
    return this.#stream.respond({status, pairs: pairsOf(lines), isLast})
  }

  #read(): void {
    this.#isReading = true
    this.#stream
      .on('data', (piece: Buffer) => {
        this.#body.onPiece?.(piece)
        if (!this.exchange.sendBody(piece, false)) this.#stream.pause()
      })
      .on('end', () => this.exchange.sendBody(undefined, true))
  }
}
