import type {Call} from '../../../../model/call.ts'
import {TOO_LARGE} from '../../../../platform/collector.ts'
import {
  verdictOfStatus,
  type Interception,
  type Interceptor,
  type Next,
  type CallOutcome,
  type WhyOnce
} from '../../interceptor.ts'
import type {ResiliencyInterceptor} from './interceptor.ts'
import {failureWords, type EndpointPolicies, type Outcomes, type ResilientCall, type Verdict} from './resilient-call.ts'

function judge(outcome: CallOutcome): Verdict {
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

const OUTCOMES: Outcomes<CallOutcome> = {
  judge,
  failed: reason => ({kind: 'ended', reason: failureWords(reason)}),
  discard: outcome => {
    if (outcome.kind === 'response') outcome.discard()
  }
}

const IS_URL = /^https?:\/\//

/** Returns the key of a call's circuit breaker: the app and method, or URL and method; for gRPC's proxy the unchanged path. */
const keyOf = ({callee, target, path, isProxied}: Call): string => {
  if (isProxied === true) return `${target ?? callee}:${path}`
  const end = path.indexOf('?')
  const method = end < 0 ? path : path.slice(0, end)
  return IS_URL.test(callee) ? `${callee}${method}` : `${target ?? callee}:${method.slice(1)}`
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
    return new PolicedCall(this.#resiliency, policies)
  }
}

/** A call under the policies of its endpoint. */
class PolicedCall implements Interception {
  readonly mayRetry: boolean
  readonly #resiliency: ResiliencyInterceptor
  readonly #policies: EndpointPolicies
  #resilient: ResilientCall<CallOutcome> | undefined

  constructor(resiliency: ResiliencyInterceptor, policies: EndpointPolicies) {
    this.mayRetry = policies.retry !== undefined
    this.#resiliency = resiliency
    this.#policies = policies
  }

  get decisions(): Interception['decisions'] {
    return this.#resilient?.decisions
  }

  begin(whyOnce: WhyOnce): boolean {
    return this.#call(whyOnce).begin()
  }

  concludes(outcome: CallOutcome): boolean {
    return this.#resilient?.concludes(outcome) ?? true
  }

  async run(next: Next, whyOnce: WhyOnce, first?: CallOutcome): Promise<CallOutcome> {
    return this.#call(whyOnce).run(next, first)
  }

  cancel(): void {
    this.#resilient?.cancel()
  }

  #call(whyOnce: WhyOnce): ResilientCall<CallOutcome> {
    return (this.#resilient ??= this.#resiliency.call(this.#policies, OUTCOMES, whyOnce))
  }
}
