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
 * Judgement of an outcome. A number: a failing status of HTTP or gRPC (0–16), for a retry's `matching`. `failed`: no response, always
 * retried. `excluded`: ignored by circuit breakers, and not retried.
 */
export type Verdict = 'success' | 'failed' | 'excluded' | number

/** How a policy ended a call. */
export type PolicyFailure = 'timeout' | 'cancelled' | BreakerRefusal

/** Returns the error's words: Dapr has those of Go's contexts. */
export const failureWords = (reason: PolicyFailure): string =>
  reason === 'timeout' ? 'context deadline exceeded' : reason === 'cancelled' ? 'context canceled' : reason

/** How outcomes are judged; one object for all calls of a kind. */
export interface Outcomes<Outcome> {
  readonly judge: (outcome: Outcome) => Verdict
  /** The outcome of a call that a policy ended. */
  readonly failed: (reason: PolicyFailure) => Outcome
  /** Frees an outcome that is not used: a failed attempt that is retried, or a response after the timeout. */
  readonly discard: (outcome: Outcome) => void
}

/** Sends the call once. Must settle soon after the attempt is stopped. */
export type SendAttempt<Outcome> = (control: AttemptControl) => Promise<Outcome>

export interface EndpointPolicies {
  readonly endpoint: Endpoint
  /** Timeout of an attempt in ms; 0: none. */
  readonly timeoutMs: number
  readonly retry: RetryPolicy | undefined
  readonly breaker: CircuitBreaker | undefined
}

/** Whether there is no policy. */
export const isEmpty = ({
  timeoutMs,
  retry,
  circuitBreaker
}: Pick<TargetPolicies, 'timeoutMs' | 'retry' | 'circuitBreaker'>): boolean =>
  timeoutMs === 0 && retry === undefined && circuitBreaker === undefined

/** Dependencies of the policies. */
export interface PolicyRuntime {
  readonly clock: Clock
  /** Returns a number from 0 up to 1, for the jitter. */
  readonly random: () => number
  readonly emit: EmitResiliency
}

/** Result of an attempt. `isFinal`: no further attempt follows. */
interface Settled<Outcome> {
  readonly outcome: Outcome
  readonly verdict: Verdict
  readonly cause: FailureCause
  readonly isFinal: boolean
}

/** A call under the policies of its endpoint: retry( circuit breaker( timeout( attempt ))), as in Dapr. */
export class ResilientCall<Outcome> {
  #decisions: ResiliencyEvent[] | undefined
  readonly #policies: EndpointPolicies
  readonly #runtime: PolicyRuntime
  readonly #outcomes: Outcomes<Outcome>
  #hasTimedOut = false
  #hasBegun = false
  #startedAt = 0
  #isCancelled = false
  /** No attempt follows. */
  #isLast = false
  /** Ends the current wait, and the latest pause. */
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

  /** The decisions of the policies; undefined if there are none. */
  get decisions(): readonly ResiliencyEvent[] | undefined {
    return this.#decisions
  }

  /** Whether the first attempt may be made without `run`, since no policy watches it while it lasts. */
  begin(): boolean {
    const {timeoutMs, breaker} = this.#policies
    if (timeoutMs > 0 || breaker !== undefined) return false
    this.#begin()
    return true
  }

  /** Whether this outcome of the first attempt is final. */
  concludes(outcome: Outcome): boolean {
    const {retry} = this.#policies
    return retry === undefined || !this.#isRetried(this.#outcomes.judge(outcome), retry)
  }

  /**
   * Resolves with the outcome of the last attempt, or with the result of `failed` if a policy ended the call; rejects like
   * `attempt`. `whyOnce`: called after a failure, returns why the call cannot be sent again; '': it can. `first`: the outcome of the
   * first attempt, after `begin`.
   */
  async run(attempt: SendAttempt<Outcome>, whyOnce: () => string = () => '', first?: Outcome): Promise<Outcome> {
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
      const reason = whyOnce()
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

  /** The caller has disconnected: stops the current attempt, and makes no further one. */
  cancel(): void {
    this.#isCancelled = this.#isLast = true
    this.#interrupt?.()
  }

  /** Makes no further attempt. The current one may end. */
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

  /** Makes an attempt that the circuit breaker admits and counts. */
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

  /** An attempt with a timeout. If the caller disconnects, it is stopped. */
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

  /** Waits until the time is over or the caller has disconnected. */
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
