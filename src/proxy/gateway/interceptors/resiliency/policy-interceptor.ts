import type {Call} from '../../../../model/call.ts'
import type {BreakerState, Endpoint} from '../../../../model/resiliency-event.ts'
import {TOO_LARGE} from '../../../../platform/collector.ts'
import type {Resiliency} from '../../../../files/resources/resiliency/policies.ts'
import {appPolicies, type TargetPolicies} from '../../../../files/resources/resiliency/resiliency.ts'
import {verdictOfStatus, type CallOutcome, type Interceptor} from '../../interceptor.ts'
import {breakerOf} from './breaker.ts'
import {
  failureWords,
  isEmpty,
  ResilientCall,
  type EndpointPolicies,
  type Outcomes,
  type PolicyRuntime,
  type Verdict
} from './resilient-call.ts'

/** The public state of a circuit breaker. */
export interface BreakerView {
  readonly endpoint: Endpoint
  readonly state: BreakerState
  readonly openForMs: number
}

/** Returns the public state of the circuit breakers of these policies. */
export const viewsOf = (all: readonly (EndpointPolicies | undefined)[]): readonly BreakerView[] =>
  all.flatMap(each => {
    if (each?.breaker === undefined) return []
    const {endpoint, breaker} = each
    return {endpoint, state: breaker.state, openForMs: breaker.openForMs}
  })

/** The policies of one target (an app, an HTTPEndpoint or a URL), with its circuit breakers. */
interface Target {
  readonly policies: TargetPolicies
  /** Policies with a circuit breaker, by the key of the breaker. */
  readonly broken: RecentlyUsed<EndpointPolicies>
}

/** Maximum number of kept targets without an entry in a resource. URLs would make their number unlimited. */
const MAX_UNLISTED = 1000

/**
 * Applies timeouts, retries and circuit breakers to the calls of one sidecar. After a change of the resources the sidecar creates a new
 * interceptor: its circuit breakers start closed, and calls in flight keep their old policies.
 */
export class PolicyInterceptor implements Interceptor {
  readonly #runtime: PolicyRuntime
  readonly #listed: ReadonlyMap<string, Target>
  readonly #unlisted = new RecentlyUsed<Target>(MAX_UNLISTED)
  /** Default policies, for targets without an entry in a resource; undefined: none. */
  readonly #defaults: TargetPolicies | undefined

  constructor(resiliency: Resiliency, runtime: PolicyRuntime) {
    this.#runtime = runtime
    const listed = [...resiliency.targets.apps.keys()].map(
      name => [name, newTarget(appPolicies(resiliency, name))] as const
    )
    this.#listed = new Map(listed)
    const defaults = appPolicies(resiliency, '')
    this.#defaults = isEmpty(defaults) ? undefined : defaults
  }

  intercept(call: Call): ResilientCall<CallOutcome> | undefined {
    const {caller, callee, target = callee, isProxied} = call
    // Dapr's proxy applies policies only to calls of other apps (pkg/messaging/grpc_proxy.go)
    if (isProxied === true && target.split('.')[0] === caller) return undefined
    const policies = this.policiesFor(target, keyOf(call))
    return policies && new ResilientCall(policies, this.#runtime, OUTCOMES)
  }

  /**
   * Returns the policies for a call; undefined: none apply. `key`: key of the circuit breaker: `<app>:<method>` for apps, `<name>:<base URL>`
   * for HTTPEndpoints, `<URL>/<method>` for URLs.
   */
  policiesFor(name: string, key: string): EndpointPolicies | undefined {
    const target = this.#target(name)
    if (target === undefined || isEmpty(target.policies)) return undefined
    const {timeoutMs, retry, circuitBreaker} = target.policies
    const endpoint = {target: name, key}
    if (circuitBreaker === undefined) return {endpoint, timeoutMs, retry, breaker: undefined}
    const made = (): EndpointPolicies => {
      return {endpoint, timeoutMs, retry, breaker: breakerOf(endpoint, circuitBreaker, this.#runtime)}
    }
    return target.broken.get(key, made)
  }

  /** Returns the state of all circuit breakers in use. */
  breakers(): readonly BreakerView[] {
    return viewsOf([...this.#listed.values(), ...this.#unlisted.values()].flatMap(({broken}) => broken.values()))
  }

  #target(name: string): Target | undefined {
    const listed = this.#listed.get(name)
    const defaults = this.#defaults
    return listed ?? (defaults && this.#unlisted.get(name, () => newTarget(defaults)))
  }
}

const newTarget = (policies: TargetPolicies): Target => ({
  policies,
  broken: new RecentlyUsed(policies.circuitBreakerCacheSize)
})

const IS_URL = /^https?:\/\//

/** Returns the key of a call's circuit breaker: app or URL, and method. A proxied gRPC call has its whole path in place of the method. */
const keyOf = ({callee, target, path, isProxied}: Call): string => {
  if (isProxied === true) return `${target ?? callee}:${path}`
  const end = path.indexOf('?')
  const method = end < 0 ? path : path.slice(0, end)
  return IS_URL.test(callee) ? `${callee}${method}` : `${target ?? callee}:${method.slice(1)}`
}

const OUTCOMES: Outcomes<CallOutcome> = {
  judge,
  failed: reason => ({kind: 'ended', reason: failureWords(reason)}),
  discard: outcome => {
    if (outcome.kind === 'response') outcome.discard()
  }
}

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

/** A cache that drops the least recently used value when it holds more than `max`. */
export class RecentlyUsed<Value> {
  readonly #max: number
  readonly #values = new Map<string, Value>()

  constructor(max: number) {
    this.#max = max
  }

  /** Returns the value of a key, and creates it if it is missing. */
  get(key: string, make: () => Value): Value {
    const value = this.#values.get(key) ?? make()
    this.#values.delete(key)
    this.#values.set(key, value)
    const [oldest] = this.#values.keys()
    if (oldest !== undefined && this.#values.size > this.#max) this.#values.delete(oldest)
    return value
  }

  /** Returns the values, the least recently used first. */
  values(): readonly Value[] {
    return [...this.#values.values()]
  }
}
