import type {Call} from '../../model/call.ts'
import type {ResiliencyEvent} from '../../model/resiliency-event.ts'
import type {Failure} from '../net/upstream.ts'
import type {Reply} from '../net/reply.ts'
import type {Denied} from './admission.ts'
import type {AttemptControl} from './interceptors/resiliency/attempt.ts'
import type {Verdict} from './interceptors/resiliency/resilient-call.ts'

/** How one attempt of a call ended. */
export type CallOutcome =
  /** A response, with its verdict for the policies, buffered until it is accepted. `discard` frees it. */
  | {readonly kind: 'response'; readonly verdict: Verdict; readonly discard: () => void}
  /** Middleware in front of the callee has responded in its place. */
  | {readonly kind: 'replied'; readonly reply: Reply}
  /** The callee's admission queue refused the call. */
  | {readonly kind: 'denied'; readonly denied: Denied}
  /** The callee was not reachable, or its response was invalid. */
  | {readonly kind: 'failed'; readonly why: string; readonly failure: Failure | undefined}
  /** A policy ended the call, with this reason in Dapr's wording. */
  | {readonly kind: 'ended'; readonly reason: string}

/** Judges an HTTP status for policies: 2xx and 3xx are successes (Dapr: pkg/messaging, invokeRemote). */
export const verdictOfStatus = (status: number): Verdict => (status >= 200 && status < 400 ? 'success' : status)

/** Makes one attempt of a call. */
export type Next = (control: AttemptControl) => Promise<CallOutcome>

/** Treatment of one call by an interceptor. */
export interface Interception {
  /** Whether there may be several attempts, so that the request must be kept. */
  readonly mayRetry: boolean
  /** Its decisions; omitted if there are none. */
  readonly decisions?: readonly ResiliencyEvent[] | undefined
  /**
   * Whether the first attempt may be made without `run`, which would cost a successful call a third of its time. `concludes` then gets
   * its outcome; if that is not the last one, `run` continues from it. Omitted: no.
   */
  begin?(): boolean
  concludes?(outcome: CallOutcome): boolean
  /**
   * Runs the call with `next`, as often as necessary; the caller gets the returned outcome. `whyOnce` returns why there can be no further
   * attempt; '': there can. `first`: outcome of the first attempt.
   */
  run(next: Next, whyOnce: () => string, first?: CallOutcome): Promise<CallOutcome>
  /** The caller has disconnected. */
  cancel(): void
}

/** Handles calls between a sidecar and their callees, unless `intercept` returns undefined. */
export interface Interceptor {
  intercept(call: Call): Interception | undefined
}

/** Intercepts the call of an attempt of an outer policy: pauses the attempt while the call is held, and ends the call with it. */
export const attemptInterceptor = (attempt: AttemptControl): Interceptor => ({
  intercept: () => ({mayRetry: false, run: async next => next(attempt), cancel: () => undefined})
})
