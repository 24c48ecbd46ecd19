import type {HeaderRules, ResponseHead} from './http1/response-head.ts'
import type {Failure, ResponseHandler, Upstream} from './http1/upstream.ts'

/** Bytes of a response that are kept until it is accepted: what one read brings. More is not read before. */
type Ending = {readonly kind: 'end'} | {readonly kind: 'failure'; readonly failure: Failure; readonly why: string}

/**
 * Stands between a connection and an exchange for one attempt of a call: holds the response back until it is accepted, so
 * that an attempt that failed can be discarded and the caller sees nothing of it.
 */
export class Attempt implements ResponseHandler {
  readonly #exchange: ResponseHandler
  readonly #upstream: Upstream
  readonly #responded: (status: number) => void
  #head: ResponseHead | undefined
  /** The body of a response that came whole. */
  #body: string | undefined
  readonly #pieces: Buffer[] = []
  #ending: Ending | undefined
  #isAccepted = false

  /** `responded`: a response begins, with this status. */
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

  get isTunnel(): boolean {
    return false
  }

  get rules(): HeaderRules {
    return this.#exchange.rules
  }

  /** Passes the response on, as far as it has come and as it comes. */
  accept(): void {
    this.#isAccepted = true
    const head = this.#head
    if (head === undefined) return
    if (this.#body !== undefined) return this.#exchange.whole(head, this.#body)
    this.#exchange.head(head)
    const takes = this.#pieces.map(piece => this.#exchange.body(piece))
    if (this.#ending?.kind === 'end') this.#exchange.end()
    else if (this.#ending !== undefined) this.#exchange.fail(this.#ending.failure, this.#ending.why)
    else if (takes.every(Boolean)) this.#upstream.resume()
  }

  /** The whole response is here: its connection is free again. */
  get isComplete(): boolean {
    return this.#body !== undefined || this.#ending?.kind === 'end'
  }

  open(): void {
    this.#exchange.open()
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
    this.#pieces.push(Buffer.from(bytes))
    return false
  }

  end(): void {
    if (this.#isAccepted) this.#exchange.end()
    else this.#ending = {kind: 'end'}
  }

  drain(): void {
    this.#exchange.drain()
  }

  fail(failure: Failure, why: string): void {
    if (this.#head === undefined || this.#isAccepted) this.#exchange.fail(failure, why)
    else this.#ending = {kind: 'failure', failure, why}
  }

  crash(error: unknown): void {
    this.#exchange.crash(error)
  }
}
