import type {Call} from '../../model/call.ts'
import type {ResiliencyEvent} from '../../model/resiliency-event.ts'
import type {Interception, Interceptor, CallOutcome, WhyOnce} from './interceptor.ts'
import type {AttemptControl} from './interceptors/resiliency/attempt.ts'

/** Part of a call that the interceptor uses. */
export interface InterceptedCall {
  /** Starts an attempt; `settle` follows. */
  attempt(): void
  /** Ends the current attempt. */
  stop(): void
  /** Returns why the call cannot be sent again; '' = it can. */
  whyOnce(): string
}

/** A call that an interceptor handles. */
export class InterceptedRun {
  readonly #interception: Interception
  #settle: ((outcome: CallOutcome) => void) | undefined
  #control: AttemptControl | undefined
  /** Set while the first attempt is made without `start`. */
  #ended: ((outcome: CallOutcome, isLast: boolean) => void) | undefined

  private constructor(interception: Interception) {
    this.#interception = interception
  }

  /** Returns the run of a call, if the interceptor handles it. */
  static of(call: Call, interceptor: Interceptor): InterceptedRun | undefined {
    const interception = interceptor.intercept(call)
    return interception && new InterceptedRun(interception)
  }

  /** Whether there may be several attempts. */
  get mayRetry(): boolean {
    return this.#interception.mayRetry
  }

  /** Decisions of the interceptor, if there are any. */
  get decisions(): readonly ResiliencyEvent[] | undefined {
    return this.#interception.decisions
  }

  /**
   * Begins the first attempt without `start` if it may. Calls `ended` with the outcome. If that is not the last attempt, call `start` to
   * continue.
   */
  begin(whyOnce: WhyOnce, ended: (outcome: CallOutcome, isLast: boolean) => void): boolean {
    if (this.#interception.begin?.(whyOnce) !== true) return false
    this.#ended = ended
    return true
  }

  /** Runs the call. `first`: the outcome of the first attempt. */
  async start(call: InterceptedCall, first?: CallOutcome): Promise<CallOutcome> {
    return this.#interception.run(
      async control => this.#attempt(call, control),
      () => call.whyOnce(),
      first
    )
  }

  /** Reports the outcome of the current attempt. */
  settle(outcome: CallOutcome): void {
    const ended = this.#ended
    if (ended !== undefined) {
      this.#ended = undefined
      return ended(outcome, this.#interception.concludes?.(outcome) !== false)
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
    this.#interception.cancel()
  }

  async #attempt(call: InterceptedCall, control: AttemptControl): Promise<CallOutcome> {
    const {promise, resolve} = Promise.withResolvers<CallOutcome>()
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
