import type {HeaderRules, ResponseHead} from './http1/response-head.ts'
import type {Failure, ResponseHandler, Upstream} from './upstream.ts'

/** End of a response that arrived before the response was accepted. */
type Ending = {readonly kind: 'end'} | {readonly kind: 'failure'; readonly failure: Failure; readonly why: string}

/**
 * The response of one attempt under resiliency policies, between the connection and the exchange. Holds the response back until `accept`, so
 * that a failed attempt can be discarded unseen. Reading pauses after the first piece of a body, so that little is buffered.
 */
export class Attempt implements ResponseHandler {
  readonly #exchange: ResponseHandler
  readonly #upstream: Upstream
  readonly #responded: (status: number) => void
  #head: ResponseHead | undefined
  /** Body of a response that arrived complete in one read; undefined: it arrives in pieces. */
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

  /** Passes the buffered part of the response to the exchange, and then the rest as it arrives. */
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

  /** Whether the complete response has arrived, so that its connection may already carry another call. */
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
