import type {Call} from '../../../model/call.ts'
import {TOO_LARGE} from '../../../net/exchange.ts'
import {verdictOfStatus, type Interception, type Interceptor, type Outcome} from '../../interceptor.ts'
import type {ResiliencyInterceptor} from './interceptor.ts'
import type {Outcomes, PolicyFailure, ResilientCall, Verdict} from './resilient-call.ts'

/** Dapr's error for a timeout, and Go's for a caller that disconnected. */
const REASONS: Partial<Record<PolicyFailure, string>> = {
  timeout: 'context deadline exceeded',
  cancelled: 'context canceled'
}

function judge(outcome: Outcome): Verdict {
  switch (outcome.kind) {
    case 'response':
      return outcome.verdict
    case 'replied':
      return verdictOfStatus(outcome.reply.status)
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

/** Circuit breakers are kept per method of an app, or per URL and method; for gRPC's proxy by the path as it is. */
const keyOf = ({callee, target, path, isProxied}: Call): string => {
  if (isProxied === true) return `${target ?? callee}:${path}`
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
    const {caller, callee, target = callee, isProxied} = call
    // Dapr's proxy applies policies only to calls of other apps (pkg/messaging/grpc_proxy.go)
    if (isProxied === true && target.split('.')[0] === caller) return undefined
    const policies = this.#resiliency.policiesFor(target, keyOf(call))
    if (policies === undefined) return undefined
    let resilient: ResilientCall<Outcome> | undefined
    return {
      mayRetry: policies.retry !== undefined,
      run: async (next, whyOnce) => {
        resilient = this.#resiliency.call(policies, {outcomes: OUTCOMES, whyOnce})
        return resilient.run(next)
      },
      get decisions() {
        return resilient?.decisions
      },
      cancel: () => resilient?.cancel()
    }
  }
}
