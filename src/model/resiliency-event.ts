/** The state of a circuit breaker. */
export type BreakerState = 'closed' | 'half-open' | 'open'

/** Dapr's message of a circuit breaker that refuses a call. */
export type BreakerRefusal = 'circuit breaker is open' | 'too many requests'

/** A kind of policy, with its name in the metrics. */
export type PolicyKind = 'timeout' | 'retry' | 'circuitbreaker'

/** The target of policies: one method of one callee. */
export interface Endpoint {
  /** App id, HTTPEndpoint or URL, as sent; '': built-in retries. */
  readonly target: string
  /** `<target>:<method>`, the name of its circuit breaker; for built-in retries the policy's name. */
  readonly key: string
  /** The app that is called; only for built-in retries. */
  readonly callee?: string
  /** The target is a component: its kind in the names of default policies, and the direction. */
  readonly component?: {readonly kind: string; readonly direction: 'inbound' | 'outbound'}
}

/** Why an attempt failed: a failing status, no response, or a timeout. */
export type FailureCause = number | 'failed' | 'timeout'

/** A decision of policies about a call. */
export type ResiliencyEvent = {readonly endpoint: Endpoint} & (
  | {
      /** A policy applies to a call; emitted before its first attempt. */
      readonly type: 'applied'
      readonly policy: PolicyKind
      /** State of the circuit breaker; '': another policy. */
      readonly state: BreakerState | ''
    }
  | {
      readonly type: 'retrying'
      readonly policy: string
      readonly cause: FailureCause
      /** The number of the retry, from 1. */
      readonly retry: number
      /** -1: no limit. */
      readonly maxRetries: number
      readonly delayMs: number
    }
  | {
      /** A retried call has succeeded. */
      readonly type: 'recovered'
      readonly attempts: number
    }
  | {
      /** A failed call is not retried despite its policy, for example because of its body. */
      readonly type: 'not-retried'
      readonly attempt: number
      readonly reason: string
    }
  | {readonly type: 'timed-out'; readonly attempt: number; readonly timeoutMs: number; readonly isFirst: boolean}
  | {readonly type: 'refused'; readonly attempt: number; readonly reason: BreakerRefusal}
  | {
      readonly type: 'breaker-changed'
      readonly from: BreakerState
      readonly to: BreakerState
      /** How long it stays open, in ms; 0 in other states. */
      readonly openForMs: number
    }
)

/** Never throws. */
export type EmitResiliency = (event: ResiliencyEvent) => void
