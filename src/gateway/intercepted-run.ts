import type {Call} from '../model/call.ts'
import type {ResiliencyEvent} from '../model/resiliency-event.ts'
import type {Interception, Interceptor, Next, Outcome, WhyOnce} from './interceptor.ts'
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
  /** Set while the first attempt is made without `start`. */
  #ended: ((outcome: Outcome, isLast: boolean) => void) | undefined

  private constructor(interceptions: readonly Interception[]) {
    this.#interceptions = interceptions
  }

  /** Undefined: no interceptor handles the call. */
  static of(call: Call, interceptors: readonly Interceptor[]): InterceptedRun | undefined {
    const interceptions: Interception[] = []
    for (const each of interceptors) {
      const interception = each.intercept(call)
      if (interception !== undefined) interceptions.push(interception)
    }
    return interceptions.length === 0 ? undefined : new InterceptedRun(interceptions)
  }

  /** There may be more than one attempt. */
  get mayRetry(): boolean {
    return this.#interceptions.some(each => each.mayRetry)
  }

  /** The decisions of the interceptors; undefined if there are none. */
  get decisions(): readonly ResiliencyEvent[] | undefined {
    if (this.#interceptions.length === 1) return this.#interceptions[0]?.decisions
    return this.#interceptions.flatMap(({decisions = []}) => decisions)
  }

  /** Whether the first attempt may be made without `start`: `ended` is called with its outcome. If it is not the last attempt, call `start` to continue. */
  begin(whyOnce: WhyOnce, ended: (outcome: Outcome, isLast: boolean) => void): boolean {
    if (this.#interceptions.length > 1 || this.#interceptions[0]?.begin?.(whyOnce) !== true) return false
    this.#ended = ended
    return true
  }

  /** Runs the call, the first interceptor outermost. `first`: the outcome of the first attempt. */
  async start(call: InterceptedCall, first?: Outcome): Promise<Outcome> {
    const attempt: Next = async control => this.#attempt(call, control)
    const chain = this.#interceptions.reduceRight<Next>(
      (next, each) => async () => each.run(next, () => call.whyOnce(), first),
      attempt
    )
    return chain(new AttemptControl(1, undefined))
  }

  /** Reports the outcome of the current attempt. */
  settle(outcome: Outcome): void {
    const ended = this.#ended
    if (ended !== undefined) {
      this.#ended = undefined
      return ended(outcome, this.#interceptions[0]?.concludes?.(outcome) !== false)
    }
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
