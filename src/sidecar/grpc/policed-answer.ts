import type {Call} from '../../model/call.ts'
import {InterceptedRun} from '../../gateway/intercepted-run.ts'
import type {Interceptor} from '../../gateway/interceptor.ts'
import type {Verdict} from '../../gateway/interceptors/resiliency/resilient-call.ts'
import {KeptBody} from '../../net/kept-body.ts'
import * as status from '../../net/grpc/status.ts'
import type {GrpcStatus} from '../../net/grpc/status.ts'

/** More messages than one cannot be sent again (Dapr: pkg/api/grpc/proxy, errRetryOnStreamingRPC). */
export const NO_STREAMS: GrpcStatus = {
  code: status.FAILED_PRECONDITION,
  message: 'cannot use resiliency policies with retries on streaming RPCs'
}

/** How a call ends that a policy ended, by its reason in Dapr's words. */
export const statusOfPolicy = (reason: string): GrpcStatus => ({
  code: reason === 'context deadline exceeded' ? status.DEADLINE_EXCEEDED : status.UNKNOWN,
  message: reason
})

/**
 * A call that policies stand around: what may have to be sent again, and the answer of the current attempt. Its head is held
 * back until a message follows: once the caller has received a message, the call cannot be retried.
 */
export class PolicedAnswer {
  readonly run: InterceptedRun
  /** The messages of the caller; undefined: there is only one attempt. */
  readonly kept: KeptBody | undefined
  /** As fields; '' if none was received, or it has been passed on. */
  head = ''
  /** A message has been passed on. */
  hasPassed = false
  #accept: (() => void) | undefined

  private constructor(run: InterceptedRun, kept: KeptBody | undefined) {
    this.run = run
    this.kept = kept
  }

  /** Undefined if no policy applies to the call. `isStream`: its messages are not kept. */
  static of(
    call: Call,
    interceptors: readonly Interceptor[],
    options: {readonly isStream: () => boolean; readonly maxBytes: number}
  ): PolicedAnswer | undefined {
    const run = InterceptedRun.of(call, interceptors)
    if (run === undefined) return undefined
    return new PolicedAnswer(run, run.mayRetry && !options.isStream() ? new KeptBody(options.maxBytes) : undefined)
  }

  /** Another attempt begins. */
  begin(): void {
    this.head = ''
    this.#accept = undefined
  }

  /** The current attempt is over; what follows is ignored. `accept` passes on its answer, `discard` frees it. */
  settle(verdict: Verdict, accept: () => void, discard: () => void): void {
    if (this.#accept !== undefined) return
    this.#accept = accept
    this.run.settle({kind: 'response', verdict, discard})
  }

  accept(): void {
    this.#accept?.()
  }

  /** Why the call cannot be retried; '' if it can. */
  get whyOnce(): string {
    if (this.hasPassed) return 'the caller has got a message already'
    return this.kept?.isLost === true ? 'its message is too large to be kept' : ''
  }
}
