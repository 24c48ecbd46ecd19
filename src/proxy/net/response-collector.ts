import type {CallHandler, Downstream} from './exchange-parts.ts'
import {Collector, NO_ROOM} from '../../platform/collector.ts'
import {Exchange} from './exchange.ts'
import type {ResponseHead} from './http1/response-head.ts'
import type {Reply} from './reply.ts'

/** The caller's side of a request that Pillion itself sends: sends a body from memory and collects the whole response. */
export abstract class ResponseCollector implements Downstream {
  readonly exchange: Exchange
  readonly toHead: boolean
  readonly refusesSwitch = true
  protected readonly maxBodyBytes: number
  /** Status of the response; 0: none yet. */
  protected status = 0
  /** Header lines of the response. */
  protected lines = ''
  readonly #body: Buffer
  readonly #collector: Collector
  #size = 0
  /** Why the response's body is not stored; undefined: it is. */
  #refusal: 'too large' | 'no room' | undefined

  /** `maxBodyBytes`: maximum size of the response; 0: no limit. */
  constructor(method: string, body: Buffer, handler: CallHandler, maxBodyBytes: number) {
    this.#body = body
    this.maxBodyBytes = maxBodyBytes
    this.#collector = new Collector(maxBodyBytes)
    this.toHead = method === 'HEAD'
    this.exchange = new Exchange(this).begin(handler, method, body.length, 0)
  }

  /** Called when the whole response has arrived. */
  protected abstract collected(body: Buffer): void
  /** Called when the response is larger than `maxBodyBytes`. `size`: its whole size. */
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

  /** Frees the collected part of an incomplete response. */
  done(): void {
    this.#collector.release()
  }
}
