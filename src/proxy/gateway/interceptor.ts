import type {Call} from '../../model/call.ts'
import type {ResiliencyEvent} from '../../model/resiliency-event.ts'
import type {Failure} from '../net/upstream.ts'
import type {Reply} from '../net/reply.ts'
import type {Denied} from './admission.ts'
import type {AttemptControl} from './interceptors/resiliency/attempt.ts'
import type {Verdict} from './interceptors/resiliency/resilient-call.ts'

/** How one attempt of a call ended. */
export type CallOutcome =
  /** A response, which stays buffered until it is accepted. `verdict`: its judgement by the policies. `discard`: drops it. */
  | {readonly kind: 'response'; readonly verdict: Verdict; readonly discard: () => void}
  /** Middleware in front of the callee has responded in its place. */
  | {readonly kind: 'replied'; readonly reply: Reply}
  /** The callee's admission queue refused the call. */
  | {readonly kind: 'denied'; readonly denied: Denied}
  /** The callee was not reachable, or its response was invalid. */
  | {readonly kind: 'failed'; readonly why: string; readonly failure: Failure | undefined}
  /** A policy ended the call, with this reason in Dapr's wording. */
  | {readonly kind: 'ended'; readonly reason: string}

/** Returns the judgement of an HTTP status by policies: 2xx and 3xx are successes (Dapr: pkg/messaging, invokeRemote). */
export const verdictOfStatus = (status: number): Verdict => (status >= 200 && status < 400 ? 'success' : status)

/** Makes one attempt of a call and resolves with its outcome. */
export type Next = (control: AttemptControl) => Promise<CallOutcome>

/** The control of one call by an interceptor. */
export interface Interception {
  /** Whether there may be several attempts, so that the call keeps its request body. */
  readonly mayRetry: boolean
  /** Decisions of the policies so far, for the record of the call; omitted: none. */
  readonly decisions?: readonly ResiliencyEvent[] | undefined
  /**
   * Returns whether the first attempt may be made without `run`, which would cost a successful call a third of its time. `concludes` then gets
   * the outcome, and returns whether it is final; if not, `run` continues with it. Omitted: no.
   */
  begin?(): boolean
  concludes?(outcome: CallOutcome): boolean
  /**
   * Makes attempts by `next` until the policies accept an outcome, and resolves with that outcome. `whyNotAgain`: returns why the request cannot
   * be sent again; '': it can. `first`: outcome of a first attempt that was made already.
   */
  run(next: Next, whyNotAgain: () => string, first?: CallOutcome): Promise<CallOutcome>
  /** Ends the control, since the call has ended or its caller has disconnected. */
  cancel(): void
}

/** Controls the attempts of calls: resiliency policies and access control. `intercept` returns undefined for a call that it leaves alone. */
export interface Interceptor {
  intercept(call: Call): Interception | undefined
}

/** Binds a call to an attempt of an outer policy: the attempt's timeout pauses while the call is queued, and the end of the attempt ends the call. */
export const attemptInterceptor = (attempt: AttemptControl): Interceptor => ({
  intercept: () => ({mayRetry: false, run: async next => next(attempt), cancel: () => undefined})
})
