import type {CallHandler} from './call-handler.ts'
import type {Downstream} from './downstream.ts'
import {Exchange} from './exchange.ts'
import {pairsOf} from './http1/header-lines.ts'
import type {ResponseHead} from './http1/response-head.ts'
import type {Reply} from './reply.ts'

/** A response that was read to its end. */
export interface CollectedResponse {
  readonly status: number
  /** Alternating names and values. */
  readonly headers: readonly string[]
  readonly body: Buffer
}

export interface CollectorOptions {
  readonly method: string
  /** Sent whole. */
  readonly body: Buffer
  readonly handler: CallHandler
  /** A longer response fails; 0: no limit. */
  readonly maxBodyBytes: number
  /** Called once: with the response, or with the reason why there is none. */
  readonly done: (result: CollectedResponse | string) => void
}

/** The caller's side of a request that we make ourselves: sends a body, and collects the response. */
export class ResponseCollector implements Downstream {
  readonly exchange: Exchange
  readonly toHead: boolean
  readonly isTunnel = false
  readonly refusesSwitch = true
  readonly #options: CollectorOptions
  #status = 0
  #lines = ''
  #size = 0
  readonly #pieces: Buffer[] = []
  #isDone = false

  constructor(options: CollectorOptions) {
    const {method, handler, body} = options
    this.#options = options
    this.toHead = method === 'HEAD'
    this.exchange = new Exchange(this).begin(handler, method, body.length, 0)
  }

  sendBody(): void {
    const {body} = this.#options
    if (body.length > 0) this.exchange.sendBody(body, true)
  }

  resume(): void {
    // it was sent whole
  }

  whole(head: ResponseHead, lines: string, body: string): void {
    this.head(head, lines)
    if (body !== '') this.body(Buffer.from(body, 'latin1'))
    this.end()
  }

  head({status}: ResponseHead, lines: string): void {
    this.#status = status
    this.#lines = lines
  }

  body(bytes: Buffer): boolean {
    this.#size += bytes.length
    const {maxBodyBytes} = this.#options
    if (maxBodyBytes === 0 || this.#size <= maxBodyBytes) this.#pieces.push(Buffer.from(bytes))
    return true
  }

  end(): void {
    const {maxBodyBytes} = this.#options
    if (maxBodyBytes > 0 && this.#size > maxBodyBytes)
      return this.#done(`the response has more than ${maxBodyBytes.toString()} bytes`)
    this.#done({status: this.#status, headers: pairsOf(this.#lines), body: Buffer.concat(this.#pieces)})
  }

  cut(why: string): void {
    this.#done(why)
  }

  reply({body}: Reply): void {
    this.#done(body)
  }

  destroy(): void {
    this.#done('an internal error')
  }

  done(): void {
    // nothing is left to read
  }

  #done(result: CollectedResponse | string): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#options.done(result)
  }
}
