import type {StatusMatching} from './status-codes.ts'
import type {Targets} from './targets.ts'
import type {Trip} from './trip.ts'

/** How often and when a failed call is sent again. */
export interface RetryPolicy {
  readonly name: string
  readonly policy: 'constant' | 'exponential'
  /** The pause of a constant policy. */
  readonly durationMs: number
  /** The longest pause of an exponential policy, before its jitter. */
  readonly maxIntervalMs: number
  /** -1: no limit. */
  readonly maxRetries: number
  readonly matching: StatusMatching
}

/** Decides when calls are refused without being tried. */
export interface CircuitBreakerPolicy {
  readonly name: string
  /** Calls that a half-open breaker lets through, and successes that close it. */
  readonly maxRequests: number
  /** How often a closed breaker resets its counts; 0: never. */
  readonly intervalMs: number
  /** How long it stays open. */
  readonly timeoutMs: number
  /** The expression as written; empty for the default. */
  readonly expression: string
  readonly trip: Trip
}

/** Named policies, of one resource or of all that are merged. */
export interface Policies {
  /** Milliseconds; 0: none. */
  readonly timeouts: ReadonlyMap<string, number>
  readonly retries: ReadonlyMap<string, RetryPolicy>
  readonly circuitBreakers: ReadonlyMap<string, CircuitBreakerPolicy>
}

/** The merged, immutable Resiliency resources of one caller. */
export interface Resiliency {
  /** The resources in the order in which they were merged; later ones win. */
  readonly resources: readonly {readonly name: string; readonly namespace: string}[]
  readonly policies: Policies
  readonly targets: Targets
}
