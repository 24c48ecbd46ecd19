import type {CallHandler, Downstream} from './exchange-parts.ts'
import {Collector, NO_ROOM} from '../../platform/collector.ts'
import {Exchange} from './exchange.ts'
import type {ResponseHead} from './http1/response-head.ts'
import type {Reply} from './reply.ts'

/** Caller's side of a request whose whole body is in memory. Sends the body and collects the response. */
export abstract class ResponseCollector implements Downstream {
  readonly exchange: Exchange
  readonly toHead: boolean
  readonly refusesSwitch = true
  protected readonly maxBodyBytes: number
  /** Status; 0 before the response. */
  protected status = 0
  /** The header lines of the response. */
  protected lines = ''
  readonly #body: Buffer
  readonly #collector: Collector
  #size = 0
  /** Why the response is not kept. */
  #refusal: 'too large' | 'no room' | undefined

  /** A response of more than `maxBodyBytes` is not kept; 0: no limit. */
  constructor(method: string, body: Buffer, handler: CallHandler, maxBodyBytes: number) {
    this.#body = body
    this.maxBodyBytes = maxBodyBytes
    this.#collector = new Collector(maxBodyBytes)
    this.toHead = method === 'HEAD'
    this.exchange = new Exchange(this).begin(handler, method, body.length, 0)
  }

  /** The whole response is here. */
  protected abstract collected(body: Buffer): void
  /** The response has more than `maxBodyBytes`. */
  protected abstract tooLarge(size: number): void
  abstract cut(why: string): void
  abstract reply(response: Reply): void
  abstract destroy(): void

  sendBody(): void {
    if (this.#body.length > 0) this.exchange.sendBody(this.#body, true)
  }

  reset(): void {
    this.destroy()
  }

  whole(head: ResponseHead, lines: string, body: string): void {
    this.head(head, lines)
    if (body !== '') this.body(Buffer.from(body, 'latin1'))
    this.end()
  }

  head({status}: ResponseHead, lines: string): void {
    this.status = status
    this.lines = lines
  }

  body(bytes: Buffer): boolean {
    this.#size += bytes.length
    if (this.#refusal !== undefined) return true
    const added = this.#collector.add(bytes)
    if (added === 'added') return true
    this.#refusal = added
    this.#collector.release()
    return true
  }

  end(): void {
    if (this.#refusal === 'too large') this.tooLarge(this.#size)
    else if (this.#refusal === 'no room') this.cut(NO_ROOM)
    else this.collected(this.#collector.take())
  }

  /** Frees the collected part of a response that broke off. */
  done(): void {
    this.#collector.release()
  }
}
