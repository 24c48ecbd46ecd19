import type {BreakerRefusal, BreakerState, EmitResiliency, Endpoint} from '../../../../model/resiliency-event.ts'
import type {Clock} from '../../../../platform/clock.ts'
import type {CircuitBreakerPolicy} from '../../../../files/resources/resiliency/policies.ts'
import type {BreakerCounts} from '../../../../files/resources/resiliency/trip.ts'

/** Result of a call for the breaker. `excluded`: the result says nothing about the callee's health, so it is not counted. */
export type BreakerOutcome = 'success' | 'failure' | 'excluded'

/** A call that the breaker admitted. */
export interface BreakerPermit {
  /** The generation of counts that the call belongs to. */
  readonly generation: number
}

type Counts = {-readonly [Key in keyof BreakerCounts]: number}

const noCounts = (): Counts => ({
  requests: 0,
  totalSuccesses: 0,
  totalFailures: 0,
  consecutiveSuccesses: 0,
  consecutiveFailures: 0
})

/**
 * The circuit breaker of one method (sony/gobreaker v0.5, as Dapr uses it).
 *
 * ```
 *            trip(counts)                timeout over
 *   closed ───────────────▶ open ───────────────────────▶ half-open
 *     ▲                      ▲                                │  │
 *     │                      └────────── any failure ─────────┘  │
 *     └──────────── maxRequests successes in a row ──────────────┘
 * ```
 *
 * The breaker has no timers: each use checks the expiry. Each change of state starts a new generation of counts, and so does each `interval`
 * of a closed breaker. Results of calls from an older generation are ignored.
 */
export class CircuitBreaker {
  readonly policy: CircuitBreakerPolicy
  readonly #now: () => number
  readonly #changed: (from: BreakerState, to: BreakerState) => void
  #state: BreakerState = 'closed'
  #generation = 0
  #counts = noCounts()
  /** Time at which the state or the interval ends; 0: never. */
  #expiresAt = 0

  constructor(
    policy: CircuitBreakerPolicy,
    now: () => number,
    changed: (from: BreakerState, to: BreakerState) => void
  ) {
    this.policy = policy
    this.#now = now
    this.#changed = changed
    this.#newGeneration(now())
  }

  /** Current state. An open breaker whose timeout has expired is half-open. */
  get state(): BreakerState {
    this.#expire(this.#now())
    return this.#state
  }

  get counts(): BreakerCounts {
    return {...this.#counts}
  }

  /** Milliseconds until an open breaker becomes half-open; 0: the breaker is not open. */
  get openForMs(): number {
    return this.state === 'open' ? Math.max(0, this.#expiresAt - this.#now()) : 0
  }

  /** Admits a call, or returns the reason for a refusal. The caller passes each permit to `done` once. */
  enter(): BreakerPermit | BreakerRefusal {
    const state = this.state
    if (state === 'open') return 'circuit breaker is open'
    if (state === 'half-open' && this.#counts.requests >= this.policy.maxRequests) return 'too many requests'
    this.#counts.requests++
    return {generation: this.#generation}
  }

  /** Reports the result of an admitted call. */
  done({generation}: BreakerPermit, outcome: BreakerOutcome): void {
    const now = this.#now()
    this.#expire(now)
    if (generation !== this.#generation) return
    if (outcome === 'success') this.#succeeded(now)
    else if (outcome === 'failure') this.#failed(now)
    else this.#counts.requests-- // otherwise a half-open breaker would never admit another call in its place
  }

  #succeeded(now: number): void {
    const counts = this.#counts
    counts.totalSuccesses++
    counts.consecutiveSuccesses++
    counts.consecutiveFailures = 0
    if (this.#state === 'half-open' && counts.consecutiveSuccesses >= this.policy.maxRequests)
      this.#become('closed', now)
  }

  #failed(now: number): void {
    if (this.#state === 'half-open') return this.#become('open', now)
    const counts = this.#counts
    counts.totalFailures++
    counts.consecutiveFailures++
    counts.consecutiveSuccesses = 0
    if (this.policy.trip(counts)) this.#become('open', now)
  }

  #expire(now: number): void {
    if (this.#expiresAt === 0 || now <= this.#expiresAt) return
    if (this.#state === 'open') this.#become('half-open', now)
    else this.#newGeneration(now)
  }

  #become(state: BreakerState, now: number): void {
    const from = this.#state
    this.#state = state
    this.#newGeneration(now)
    this.#changed(from, state)
  }

  #newGeneration(now: number): void {
    const {intervalMs, timeoutMs} = this.policy
    this.#generation++
    this.#counts = noCounts()
    const forMs = this.#state === 'closed' ? intervalMs : this.#state === 'open' ? timeoutMs : 0
    this.#expiresAt = forMs === 0 ? 0 : now + forMs
  }
}

/** Creates the circuit breaker of an endpoint, which emits an event at each change of its state. */
export const breakerOf = (
  endpoint: Endpoint,
  policy: CircuitBreakerPolicy,
  {clock, emit}: {readonly clock: Clock; readonly emit: EmitResiliency}
): CircuitBreaker =>
  new CircuitBreaker(
    policy,
    () => clock.now(),
    (from, to) => emit({type: 'breaker-changed', endpoint, from, to, openForMs: to === 'open' ? policy.timeoutMs : 0})
  )
