import type {Call} from '../model/call.ts'
import type {Failure} from '../net/http1/upstream.ts'
import type {Denied} from './admission.ts'
import type {AttemptControl} from './interceptors/resiliency/attempt.ts'

/** How one attempt of a call ended. */
export type Outcome =
  /** A response has begun; it is held back until it is accepted. `discard` frees it. */
  | {readonly kind: 'response'; readonly status: number; readonly discard: () => void}
  /** The callee's admission queue refused the call. */
  | {readonly kind: 'denied'; readonly denied: Denied}
  /** Nobody could be reached, or what came was no response. */
  | {readonly kind: 'failed'; readonly why: string; readonly failure: Failure | undefined}
  /** A policy ended the call, for this reason in Dapr's words. */
  | {readonly kind: 'ended'; readonly reason: string}

/** Makes one attempt of a call. */
export type Next = (control: AttemptControl) => Promise<Outcome>

/** What an interceptor does with one call. */
export interface Interception {
  /** Runs the call by `next`, as often as it likes; the outcome of which it returns is what the caller gets. `whyOnce`: why there can be no further attempt, '' = there can. */
  run(next: Next, whyOnce: () => string): Promise<Outcome>
  /** The caller has disconnected. */
  cancel(): void
}

/** Stands between the calls of a sidecar and their callees. Undefined: the call needs nothing from it, and costs nothing. */
export interface Interceptor {
  intercept(call: Call): Interception | undefined
}
