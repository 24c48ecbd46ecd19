import type {Call} from '../model/call.ts'
import type {ResiliencyEvent} from '../model/resiliency-event.ts'
import type {Interception, Interceptor, Next, Outcome} from './interceptor.ts'
import {AttemptControl} from './interceptors/resiliency/attempt.ts'

/** What the interceptors need from a call. */
export interface InterceptedCall {
  /** Starts an attempt; `settle` follows. */
  attempt(): void
  /** Ends the current attempt. */
  stop(): void
  /** Why it cannot be sent again; '' = it can. */
  whyOnce(): string
}

/** One call that interceptors handle. */
export class InterceptedRun {
  readonly #interceptions: readonly Interception[]
  #settle: ((outcome: Outcome) => void) | undefined
  #control: AttemptControl | undefined

  private constructor(interceptions: readonly Interception[]) {
    this.#interceptions = interceptions
  }

  /** Undefined: no interceptor handles the call. */
  static of(call: Call, interceptors: readonly Interceptor[]): InterceptedRun | undefined {
    const interceptions = interceptors.map(each => each.intercept(call)).filter(each => each !== undefined)
    return interceptions.length === 0 ? undefined : new InterceptedRun(interceptions)
  }

  /** There may be more than one attempt. */
  get mayRetry(): boolean {
    return this.#interceptions.some(each => each.mayRetry)
  }

  /** What the interceptors have decided so far; undefined: nothing. */
  get decisions(): readonly ResiliencyEvent[] | undefined {
    const [only, ...others] = this.#interceptions
    if (others.length === 0) return only?.decisions
    return this.#interceptions.flatMap(({decisions = []}) => decisions)
  }

  /** Runs the call, the first interceptor outermost. */
  async start(call: InterceptedCall): Promise<Outcome> {
    const attempt: Next = async control => this.#attempt(call, control)
    const chain = this.#interceptions.reduceRight<Next>(
      (next, each) => async () => each.run(next, () => call.whyOnce()),
      attempt
    )
    return chain(new AttemptControl(1, undefined))
  }

  /** Reports the outcome of the current attempt. */
  settle(outcome: Outcome): void {
    const settle = this.#settle
    this.#settle = undefined
    settle?.(outcome)
  }

  /** The call is queued because its callee starts or reloads. */
  pause(): void {
    this.#control?.pause()
  }

  resume(): void {
    this.#control?.resume()
  }

  /** The caller has disconnected. */
  cancel(): void {
    for (const each of this.#interceptions) each.cancel()
  }

  async #attempt(call: InterceptedCall, control: AttemptControl): Promise<Outcome> {
    const {promise, resolve} = Promise.withResolvers<Outcome>()
    this.#settle = resolve
    this.#control = control
    control.onStop(() => {
      if (this.#settle !== resolve) return
      call.stop()
      this.settle({kind: 'ended', reason: 'context canceled'})
    })
    if (this.#settle === resolve) call.attempt()
    return promise
  }
}
