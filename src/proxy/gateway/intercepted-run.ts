import type {Call} from '../../model/call.ts'
import type {Interception, Interceptor, CallOutcome} from './interceptor.ts'
import type {AttemptControl} from './interceptors/resiliency/attempt.ts'

/** A call that an interceptor handles: its passage. */
export interface InterceptedCall {
  /** Makes the first attempt, which the interceptor does not watch; `settle` follows. */
  meet(): void
  /** Makes an attempt; `settle` follows. */
  again(): void
  /** Ends the current attempt. */
  discard(): void
  /** Returns why the call cannot be sent again; '': it can. */
  whyOnce(): string
  /** Called with the outcome for the caller. */
  concluded(outcome: CallOutcome): void
  /** Handles a bug of ours. */
  crash(error: unknown): void
}

/** The attempts of one call, by the decisions of an interceptor. */
export class InterceptedRun {
  readonly interception: Interception
  /** Takes the outcome of the current attempt. */
  #settle: ((outcome: CallOutcome) => void) | undefined
  #control: AttemptControl | undefined

  private constructor(interception: Interception) {
    this.interception = interception
  }

  /** Returns the run of a call, if the interceptor handles it. */
  static of(call: Call, interceptor: Interceptor): InterceptedRun | undefined {
    const interception = interceptor.intercept(call)
    return interception && new InterceptedRun(interception)
  }

  /** Makes the attempts: the first one at once, if the interceptor looks at it only when it has ended. */
  start(call: InterceptedCall): void {
    const {interception} = this
    if (interception.begin?.() !== true) return void this.#run(call)
    this.#settle = outcome => {
      if (interception.concludes?.(outcome) === false) void this.#run(call, outcome)
      else call.concluded(outcome)
    }
    call.meet()
  }

  /** Reports the outcome of the current attempt. */
  settle(outcome: CallOutcome): void {
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
    this.interception.cancel()
  }

  /** `first`: the outcome of the first attempt, if it was made already. */
  async #run(call: InterceptedCall, first?: CallOutcome): Promise<void> {
    try {
      const attempt = async (control: AttemptControl): Promise<CallOutcome> => this.#attempt(call, control)
      call.concluded(await this.interception.run(attempt, () => call.whyOnce(), first))
    } catch (error) {
      call.crash(error)
    }
  }

  async #attempt(call: InterceptedCall, control: AttemptControl): Promise<CallOutcome> {
    const {promise, resolve} = Promise.withResolvers<CallOutcome>()
    this.#settle = resolve
    this.#control = control
    control.onStop(() => {
      if (this.#settle !== resolve) return
      call.discard()
      this.settle({kind: 'ended', reason: 'context canceled'})
    })
    if (this.#settle === resolve) call.again()
    return promise
  }
}
