import type {RetryPolicy} from '../../../../files/resources/resiliency/policies.ts'

const INITIAL_INTERVAL_MS = 500
const MULTIPLIER = 1.5
const JITTER = 0.5
const MAX_ELAPSED_MS = 15 * 60_000

/** Sources of time and randomness, which tests replace. */
export interface BackoffSources {
  /** The start of the first attempt, in the time of `now`. */
  readonly startedAt: number
  /** Returns the time in ms, as `Clock.now` does. */
  readonly now: () => number
  /** Returns a number from 0 up to 1. */
  readonly random: () => number
}

/**
 * The delays between the attempts of one call (dapr/kit, retry/retry.go; cenkalti/backoff v4). A constant policy always waits `duration`. An
 * exponential one starts at 500 ms, grows by half each time up to `maxInterval`, varies each delay by ±50 %, and ends once the next delay
 * would end later than 15 minutes after the first attempt.
 */
export class Backoff {
  readonly #policy: RetryPolicy
  readonly #sources: BackoffSources
  #intervalMs = INITIAL_INTERVAL_MS
  #retries = 0

  constructor(policy: RetryPolicy, sources: BackoffSources) {
    this.#policy = policy
    this.#sources = sources
  }

  /** Returns the delay before the next attempt, in ms; undefined: there is no further attempt. */
  next(): number | undefined {
    const {policy, durationMs, maxRetries} = this.#policy
    if (maxRetries >= 0 && this.#retries >= maxRetries) return undefined
    this.#retries++
    return policy === 'constant' ? durationMs : this.#exponential()
  }

  #exponential(): number | undefined {
    const {startedAt, now, random} = this.#sources
    const {maxIntervalMs} = this.#policy
    const pause = this.#intervalMs * (1 - JITTER + random() * 2 * JITTER)
    this.#intervalMs = Math.min(this.#intervalMs * MULTIPLIER, maxIntervalMs)
    return now() - startedAt + pause > MAX_ELAPSED_MS ? undefined : pause
  }
}
