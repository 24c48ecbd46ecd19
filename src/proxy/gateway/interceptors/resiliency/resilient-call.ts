import type {
  BreakerRefusal,
  EmitResiliency,
  Endpoint,
  FailureCause,
  ResiliencyEvent
} from '../../../../model/resiliency-event.ts'
import type {Clock} from '../../../../platform/clock.ts'
import type {RetryPolicy} from '../../../../files/resources/resiliency/policies.ts'
import type {TargetPolicies} from '../../../../files/resources/resiliency/resiliency.ts'
import {isRetried} from '../../../../files/resources/resiliency/status-codes.ts'
import {Backoff} from './backoff.ts'
import type {BreakerOutcome, CircuitBreaker} from './breaker.ts'
import {AttemptControl, PausableTimer} from './attempt.ts'

/**
 * Judgement of an outcome. A number: the status of a failed response, HTTP or gRPC (0–16), which a retry policy's `matching` may select.
 * `failed`: no response, always retried. `excluded`: circuit breakers ignore it, and it is not retried.
 */
export type Verdict = 'success' | 'failed' | 'excluded' | number

/** Reason for which a policy ended a call. */
export type PolicyFailure = 'timeout' | 'cancelled' | BreakerRefusal

/** Returns the error text for a reason, in the words of Go's contexts as in Dapr. */
export const failureWords = (reason: PolicyFailure): string =>
  reason === 'timeout' ? 'context deadline exceeded' : reason === 'cancelled' ? 'context canceled' : reason

/** Functions for the outcomes of calls of one kind. */
export interface Outcomes<Outcome> {
  readonly judge: (outcome: Outcome) => Verdict
  /** Makes the outcome of a call that a policy ended. */
  readonly failed: (reason: PolicyFailure) => Outcome
  /** Releases an outcome that the caller does not get: a failed attempt that is retried, or a response after the timeout. */
  readonly discard: (outcome: Outcome) => void
}

/** Sends the call once. Settles soon after `control` stops the attempt. */
export type SendAttempt<Outcome> = (control: AttemptControl) => Promise<Outcome>

export interface EndpointPolicies {
  readonly endpoint: Endpoint
  /** Timeout of an attempt in ms; 0: none. */
  readonly timeoutMs: number
  readonly retry: RetryPolicy | undefined
  readonly breaker: CircuitBreaker | undefined
}

/** Whether a target has none of the three policies. */
export const isEmpty = ({
  timeoutMs,
  retry,
  circuitBreaker
}: Pick<TargetPolicies, 'timeoutMs' | 'retry' | 'circuitBreaker'>): boolean =>
  timeoutMs === 0 && retry === undefined && circuitBreaker === undefined

/** Functions of the environment that the policies use; tests replace them. */
export interface PolicyRuntime {
  readonly clock: Clock
  /** Returns a number from 0 up to 1, for the jitter. */
  readonly random: () => number
  readonly emit: EmitResiliency
}

/** Result of an attempt. `isFinal`: the policies allow no further attempt. */
interface Settled<Outcome> {
  readonly outcome: Outcome
  readonly verdict: Verdict
  readonly cause: FailureCause
  readonly isFinal: boolean
}

/** A call under the policies of its endpoint, which nest as in Dapr: retry( circuit breaker( timeout( attempt ))). */
export class ResilientCall<Outcome> {
  #decisions: ResiliencyEvent[] | undefined
  readonly #policies: EndpointPolicies
  readonly #runtime: PolicyRuntime
  readonly #outcomes: Outcomes<Outcome>
  #hasTimedOut = false
  #hasBegun = false
  #startedAt = 0
  #isCancelled = false
  /** Whether no further attempt may follow. */
  #isLast = false
  /** Ends the current attempt or delay at once; undefined: neither has begun. */
  #interrupt: (() => void) | undefined
  #skip: (() => void) | undefined

  constructor(policies: EndpointPolicies, runtime: PolicyRuntime, outcomes: Outcomes<Outcome>) {
    this.#policies = policies
    this.#runtime = runtime
    this.#outcomes = outcomes
  }

  /** Whether there may be several attempts. */
  get mayRetry(): boolean {
    return this.#policies.retry !== undefined
  }

  /** Decisions of the policies so far; undefined: none. */
  get decisions(): readonly ResiliencyEvent[] | undefined {
    return this.#decisions
  }

  /** Returns whether the first attempt may be made without `run`: without timeout and circuit breaker, only its outcome matters. */
  begin(): boolean {
    const {timeoutMs, breaker} = this.#policies
    if (timeoutMs > 0 || breaker !== undefined) return false
    this.#begin()
    return true
  }

  /** Returns whether this outcome of the first attempt is final, so that `run` is not needed. */
  concludes(outcome: Outcome): boolean {
    const {retry} = this.#policies
    return retry === undefined || !this.#isRetried(this.#outcomes.judge(outcome), retry)
  }

  /**
   * Makes attempts. Resolves with the outcome of the last one, or with the result of `failed` if a policy ended the call. Rejects if `attempt`
   * rejects. `whyNotAgain`: returns after a failure why the call cannot be sent again; '': it can. `first`: outcome of a first attempt that was
   * made after `begin`.
   */
  async run(attempt: SendAttempt<Outcome>, whyNotAgain: () => string = () => '', first?: Outcome): Promise<Outcome> {
    const {retry, endpoint} = this.#policies
    const {clock, random} = this.#runtime
    if (!this.#hasBegun) this.#begin()
    let backoff: Backoff | undefined
    const startedAt = this.#startedAt
    for (let n = 1; ; n++) {
      const isDone = n === 1 && first !== undefined
      const settled = isDone ? this.#settled(first) : await this.#guarded(n, attempt)
      const {outcome, verdict, cause, isFinal} = settled
      if (verdict === 'success' && n > 1) this.#decide({type: 'recovered', endpoint, attempts: n})
      if (retry === undefined || isFinal || !this.#isRetried(verdict, retry)) return outcome
      backoff ??= new Backoff(retry, {startedAt, now: () => clock.now(), random})
      const delayMs = backoff.next()
      if (delayMs === undefined) return outcome
      const reason = whyNotAgain()
      if (reason !== '') {
        this.#decide({type: 'not-retried', endpoint, attempt: n, reason})
        return outcome
      }
      this.#outcomes.discard(outcome)
      const {name: policy, maxRetries} = retry
      this.#decide({type: 'retrying', endpoint, policy, cause, retry: n, maxRetries, delayMs})
      await this.#pause(delayMs)
      if (this.#isLast) return this.#outcomes.failed('cancelled')
    }
  }

  /** Stops the current attempt and makes no further one, since the caller has disconnected. */
  cancel(): void {
    this.#isCancelled = this.#isLast = true
    this.#interrupt?.()
  }

  /** Makes no further attempt. The current one may finish. */
  finish(): void {
    this.#isLast = true
    this.#skip?.()
  }

  #decide(event: ResiliencyEvent): void {
    this.#decisions ??= []
    this.#decisions.push(event)
    this.#runtime.emit(event)
  }

  #begin(): void {
    this.#hasBegun = true
    const {endpoint, timeoutMs, retry, breaker} = this.#policies
    const {clock, emit} = this.#runtime
    if (retry !== undefined) this.#startedAt = clock.now()
    if (timeoutMs > 0) emit({type: 'applied', endpoint, policy: 'timeout', state: ''})
    if (retry !== undefined) emit({type: 'applied', endpoint, policy: 'retry', state: ''})
    if (breaker !== undefined) emit({type: 'applied', endpoint, policy: 'circuitbreaker', state: breaker.state})
  }

  #isRetried(verdict: Verdict, {matching}: RetryPolicy): boolean {
    if (this.#isLast) return false
    return verdict === 'failed' || (typeof verdict === 'number' && isRetried(matching, verdict))
  }

  /** Makes an attempt if the circuit breaker admits it, and reports its result to the breaker. */
  async #guarded(n: number, attempt: SendAttempt<Outcome>): Promise<Settled<Outcome>> {
    const {breaker, endpoint} = this.#policies
    if (this.#isCancelled) return this.#ended('cancelled')
    if (breaker === undefined) return this.#timed(n, attempt)
    const permit = breaker.enter()
    if (typeof permit === 'string') {
      this.#decide({type: 'refused', endpoint, attempt: n, reason: permit})
      return this.#ended(permit)
    }
    let counted: BreakerOutcome = 'failure'
    try {
      const settled = await this.#timed(n, attempt)
      const {verdict} = settled
      if (verdict === 'success') counted = 'success'
      else if (verdict === 'excluded' || this.#isCancelled) counted = 'excluded'
      return settled
    } finally {
      breaker.done(permit, counted)
    }
  }

  /** Makes an attempt with its timeout. A cancelled call stops it. */
  async #timed(n: number, attempt: SendAttempt<Outcome>): Promise<Settled<Outcome>> {
    const {timeoutMs} = this.#policies
    if (timeoutMs === 0) {
      const control = new AttemptControl(n, undefined)
      this.#interrupt = () => control.stop()
      return this.#settled(await attempt(control))
    }
    const {promise, resolve, reject} = Promise.withResolvers<Settled<Outcome>>()
    const end = (settled: Settled<Outcome>): void => {
      timer.stop()
      control.stop()
      resolve(settled)
    }
    const timer = new PausableTimer(timeoutMs, this.#runtime.clock, () => end(this.#timedOut(n)))
    const control = new AttemptControl(n, timer)
    this.#interrupt = () => end(this.#ended('cancelled'))
    const settle = (outcome: Outcome): void => {
      if (control.isStopped) this.#outcomes.discard(outcome)
      else resolve(this.#settled(outcome))
    }
    try {
      attempt(control).then(settle, reject)
      return await promise
    } finally {
      timer.stop()
    }
  }

  #settled(outcome: Outcome): Settled<Outcome> {
    const verdict = this.#outcomes.judge(outcome)
    return {outcome, verdict, cause: typeof verdict === 'number' ? verdict : 'failed', isFinal: false}
  }

  #timedOut(n: number): Settled<Outcome> {
    const {endpoint, timeoutMs} = this.#policies
    this.#decide({type: 'timed-out', endpoint, attempt: n, timeoutMs, isFirst: !this.#hasTimedOut})
    this.#hasTimedOut = true
    return {outcome: this.#outcomes.failed('timeout'), verdict: 'failed', cause: 'timeout', isFinal: false}
  }

  #ended(reason: PolicyFailure): Settled<Outcome> {
    return {outcome: this.#outcomes.failed(reason), verdict: 'excluded', cause: 'failed', isFinal: true}
  }

  /** Waits for the delay before a retry. `cancel` and `finish` end the wait. */
  async #pause(ms: number): Promise<void> {
    if (this.#isLast) return
    const {promise, resolve} = Promise.withResolvers<void>()
    const stop = this.#runtime.clock.after(ms, resolve)
    this.#interrupt = this.#skip = () => {
      stop()
      resolve()
    }
    await promise
  }
}
