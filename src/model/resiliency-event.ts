/** The state of a circuit breaker. */
export type BreakerState = 'closed' | 'half-open' | 'open'

/** Why a circuit breaker does not let a call through, in Dapr's words. */
export type BreakerRefusal = 'circuit breaker is open' | 'too many requests'

/** A kind of policy as the metrics call it. */
export type PolicyKind = 'timeout' | 'retry' | 'circuitbreaker'

/** What policies are applied to: one method of one target. */
export interface Endpoint {
  /** App id, HTTPEndpoint or URL, as sent; '' of built-in retries. */
  readonly target: string
  /** `<target>:<method>`, as its circuit breaker is called; of built-in retries the policy's name. */
  readonly key: string
}

/** Why an attempt is taken for failed: a failing status, no answer, or no answer in time. */
export type FailureCause = number | 'failed' | 'timeout'

/** What policies decided about a call. */
export type ResiliencyEvent = {readonly endpoint: Endpoint} & (
  | {
      /** A policy holds for a call; told before its first attempt. */
      readonly type: 'applied'
      readonly policy: PolicyKind
      /** Of the circuit breaker, '' of other policies. */
      readonly state: BreakerState | ''
    }
  | {
      readonly type: 'retrying'
      readonly cause: FailureCause
      /** From 1. */
      readonly retry: number
      /** -1 = no limit. */
      readonly maxRetries: number
      readonly delayMs: number
    }
  | {
      /** A retried call has succeeded. */
      readonly type: 'recovered'
      readonly attempts: number
    }
  | {
      /** A failed call is not sent again although its policy would: because of its body, for example. */
      readonly type: 'not-retried'
      readonly reason: string
    }
  | {readonly type: 'timed-out'; readonly attempt: number; readonly timeoutMs: number; readonly isFirst: boolean}
  | {readonly type: 'refused'; readonly reason: BreakerRefusal}
  | {
      readonly type: 'breaker-changed'
      readonly from: BreakerState
      readonly to: BreakerState
      /** How long it stays open; 0 in other states. */
      readonly openForMs: number
    }
)

/** Never throws. */
export type EmitResiliency = (event: ResiliencyEvent) => void
