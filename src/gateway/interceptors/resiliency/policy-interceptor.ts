import type {Call} from '../../../model/call.ts'
import {TOO_LARGE} from '../../../net/exchange.ts'
import type {Interception, Interceptor, Outcome} from '../../interceptor.ts'
import type {ResiliencyInterceptor} from './interceptor.ts'
import type {Outcomes, PolicyFailure, ResilientCall, Verdict} from './resilient-call.ts'

/** Dapr's error for a timeout, and Go's for a caller that disconnected. */
const REASONS: Partial<Record<PolicyFailure, string>> = {
  timeout: 'context deadline exceeded',
  cancelled: 'context canceled'
}

const judgeStatus = (status: number): Verdict => (status >= 200 && status < 400 ? 'success' : status)

/** For an HTTP app 2xx and 3xx are successes (Dapr: pkg/messaging, invokeRemote). */
function judge(outcome: Outcome): Verdict {
  switch (outcome.kind) {
    case 'response':
      return judgeStatus(outcome.status)
    case 'replied':
      return judgeStatus(outcome.reply.status)
    case 'denied':
      return outcome.denied.status === 403 ? 'excluded' : 'failed'
    case 'failed':
      return outcome.why === TOO_LARGE ? 'excluded' : 'failed'
    case 'ended':
      return 'excluded'
  }
}

const OUTCOMES: Outcomes<Outcome> = {
  judge,
  failed: reason => ({kind: 'ended', reason: REASONS[reason] ?? reason}),
  discard: outcome => {
    if (outcome.kind === 'response') outcome.discard()
  }
}

const IS_URL = /^https?:\/\//

/** Circuit breakers are kept per method of an app, or per URL and method. */
const keyOf = ({callee, path}: Call): string => {
  const [method = ''] = path.split('?', 1)
  return IS_URL.test(callee) ? `${callee}${method}` : `${callee}:${method.slice(1)}`
}

/** Timeouts, retries and circuit breakers around the calls of one sidecar. */
export class PolicyInterceptor implements Interceptor {
  readonly #resiliency: ResiliencyInterceptor

  constructor(resiliency: ResiliencyInterceptor) {
    this.#resiliency = resiliency
  }

  intercept(call: Call): Interception | undefined {
    const policies = this.#resiliency.policiesFor(call.callee, keyOf(call))
    if (policies === undefined) return undefined
    let resilient: ResilientCall<Outcome> | undefined
    return {
      run: async (next, whyOnce) => {
        resilient = this.#resiliency.call(policies, {outcomes: OUTCOMES, whyOnce})
        return resilient.run(next)
      },
      cancel: () => resilient?.cancel()
    }
  }
}
