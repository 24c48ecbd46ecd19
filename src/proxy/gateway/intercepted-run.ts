import type {Call} from '../../model/call.ts'
import type {Interception, Interceptor, CallOutcome} from './interceptor.ts'
import type {AttemptControl} from './interceptors/resiliency/attempt.ts'

/** A call whose attempts an interceptor controls, implemented by `Passage`. */
export interface InterceptedCall {
  /** Makes the first attempt. The call reports its outcome by `settle`. */
  makeAttempt(): void
  /** Makes an attempt, after the previous one was discarded. The call reports its outcome by `settle`. */
  makeAnotherAttempt(): void
  /** Cancels the current attempt and drops its response. */
  discard(): void
  /** Returns why the call cannot be sent again; '': it can. */
  whyNotAgain(): string
  /** Delivers the final outcome to the caller. */
  concluded(outcome: CallOutcome): void
  /** Ends the call after an internal error. */
  crash(error: unknown): void
}

/** Runs the attempts of one call as its interceptor (the resiliency policies) decides. Created by `Passage`. */
export class InterceptedRun {
  readonly interception: Interception
  /** Receives the outcome of the current attempt; undefined: no attempt is in flight. */
  #settle: ((outcome: CallOutcome) => void) | undefined
  #control: AttemptControl | undefined

  private constructor(interception: Interception) {
    this.interception = interception
  }

  /** Returns the run of a call; undefined: the interceptor does not handle the call. */
  static of(call: Call, interceptor: Interceptor): InterceptedRun | undefined {
    const interception = interceptor.intercept(call)
    return interception && new InterceptedRun(interception)
  }

  /** Makes the attempts. If `begin` allows it, makes the first one directly: only a failed one then needs the slower `run`. */
  start(call: InterceptedCall): void {
    const {interception} = this
    if (interception.begin?.() !== true) return void this.#run(call)
    this.#settle = outcome => {
      if (interception.concludes?.(outcome) === false) void this.#run(call, outcome)
      else call.concluded(outcome)
    }
    call.makeAttempt()
  }

  /** Reports the outcome of the current attempt to the interceptor. */
  settle(outcome: CallOutcome): void {
    const settle = this.#settle
    this.#settle = undefined
    settle?.(outcome)
  }

  /** Stops the timeout of the current attempt, while the call is queued because its callee starts or reloads. */
  pause(): void {
    this.#control?.pause()
  }

  resume(): void {
    this.#control?.resume()
  }

  /** Ends the interceptor's control, since the call has ended or its caller has disconnected. */
  cancel(): void {
    this.interception.cancel()
  }

  /** Lets the interceptor make the attempts. `first`: outcome of a first attempt that was made directly. */
  async #run(call: InterceptedCall, first?: CallOutcome): Promise<void> {
    try {
      const attempt = async (control: AttemptControl): Promise<CallOutcome> => this.#attempt(call, control)
      call.concluded(await this.interception.run(attempt, () => call.whyNotAgain(), first))
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
    if (this.#settle === resolve) call.makeAnotherAttempt()
    return promise
  }
}
