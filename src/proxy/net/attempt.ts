import type {HeaderRules, ResponseHead} from './http1/response-head.ts'
import type {Failure, ResponseHandler, Upstream} from './upstream.ts'

/** How the response of an attempt ended before it was accepted. */
type Ending = {readonly kind: 'end'} | {readonly kind: 'failure'; readonly failure: Failure; readonly why: string}

/**
 * The response of one attempt, between a connection and an exchange. The response is buffered until it is accepted, so that a failed attempt can be
 * discarded unseen by the caller. Buffers only the bytes of one read.
 */
export class Attempt implements ResponseHandler {
  readonly #exchange: ResponseHandler
  readonly #upstream: Upstream
  readonly #responded: (status: number) => void
  #head: ResponseHead | undefined
  /** The body of a response that arrived complete. */
  #body: string | undefined
  #pieces: Buffer[] | undefined
  #ending: Ending | undefined
  #isAccepted = false

  /** `responded`: called with the status when a response begins. */
  constructor(exchange: ResponseHandler, upstream: Upstream, responded: (status: number) => void) {
    this.#exchange = exchange
    this.#upstream = upstream
    this.#responded = responded
  }

  get toHead(): boolean {
    return this.#exchange.toHead
  }

  get isSent(): boolean {
    return this.#exchange.isSent
  }

  get rules(): HeaderRules {
    return this.#exchange.rules
  }

  /** Passes on the buffered part of the response, and the rest as it arrives. */
  accept(): void {
    this.#isAccepted = true
    const head = this.#head
    if (head === undefined) return
    if (this.#body !== undefined) return this.#exchange.whole(head, this.#body)
    this.#exchange.head(head)
    const takes = this.#pieces?.map(piece => this.#exchange.body(piece)) ?? []
    if (this.#ending?.kind === 'end') this.#exchange.end()
    else if (this.#ending !== undefined) this.#exchange.fail(this.#ending.failure, this.#ending.why)
    else if (takes.every(Boolean)) this.#upstream.resume()
  }

  /** The complete response has arrived: its connection is free again. */
  get isComplete(): boolean {
    return this.#body !== undefined || this.#ending?.kind === 'end'
  }

  open(wasOpen: boolean): void {
    this.#exchange.open(wasOpen)
  }

  whole(head: ResponseHead, body: string): void {
    this.#head = head
    this.#body = body
    this.#responded(head.status)
  }

  head(head: ResponseHead): void {
    this.#head = head
    this.#responded(head.status)
  }

  body(bytes: Buffer): boolean {
    if (this.#isAccepted) return this.#exchange.body(bytes)
    this.#pieces ??= []
    this.#pieces.push(Buffer.from(bytes))
    return false
  }

  end(): void {
    if (this.#isAccepted) this.#exchange.end()
    else this.#ending = {kind: 'end'}
  }

  drain(): void {
    this.#exchange.drain?.()
  }

  fail(failure: Failure, why: string): void {
    if (this.#head === undefined || this.#isAccepted) this.#exchange.fail(failure, why)
    else this.#ending = {kind: 'failure', failure, why}
  }

  crash(error: unknown): void {
    this.#exchange.crash(error)
  }
}
