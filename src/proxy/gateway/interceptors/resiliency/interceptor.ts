import type {BreakerState, Endpoint} from '../../../../model/resiliency-event.ts'
import type {Resiliency} from '../../../../files/resources/resiliency/policies.ts'
import {appPolicies, type TargetPolicies} from '../../../../files/resources/resiliency/resiliency.ts'
import {breakerOf, type CircuitBreaker} from './breaker.ts'
import {isEmpty, ResilientCall, type EndpointPolicies, type Outcomes, type PolicyRuntime} from './resilient-call.ts'

/** The public state of a circuit breaker. */
export interface BreakerView {
  readonly endpoint: Endpoint
  readonly state: BreakerState
  readonly openForMs: number
}

/** The state kept for one target. */
interface Target {
  readonly policies: TargetPolicies
  readonly breakers: RecentlyUsed<{readonly endpoint: Endpoint; readonly breaker: CircuitBreaker}>
}

/** Targets without an entry in a resource, which use the defaults; URLs make their number unlimited. */
const MAX_UNLISTED = 1000

/**
 * The resiliency policies of one sidecar's calls. Changed resources create another object, as Dapr restarts then:
 * circuit breakers start closed, and calls in flight keep their policies.
 */
export class ResiliencyInterceptor {
  readonly #runtime: PolicyRuntime
  readonly #listed: ReadonlyMap<string, Target>
  readonly #unlisted = new RecentlyUsed<Target>(MAX_UNLISTED)
  /** Policies of calls to targets without an entry, if there are any. */
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

  /** Returns the policies for a call, if there are any. `key`: `<app>:<method>` for apps, `<name>:<base URL>` for HTTPEndpoints, `<URL>/<method>` for URLs. */
  policiesFor(name: string, key: string): EndpointPolicies | undefined {
    const target = this.#target(name)
    if (target === undefined || isEmpty(target.policies)) return undefined
    const {timeoutMs, retry, circuitBreaker} = target.policies
    const endpoint = {target: name, key}
    if (circuitBreaker === undefined) return {endpoint, timeoutMs, retry, breaker: undefined}
    const {breaker} = target.breakers.get(key, () => ({
      endpoint,
      breaker: breakerOf(endpoint, circuitBreaker, this.#runtime)
    }))
    return {endpoint, timeoutMs, retry, breaker}
  }

  /** A call under policies; call its `run` once. */
  call<Outcome>(
    policies: EndpointPolicies,
    outcomes: Outcomes<Outcome>,
    whyOnce?: () => string
  ): ResilientCall<Outcome> {
    return new ResilientCall(policies, this.#runtime, outcomes, whyOnce)
  }

  /** All circuit breakers in use. */
  breakers(): readonly BreakerView[] {
    return [...this.#listed.values(), ...this.#unlisted.values()].flatMap(({breakers}) =>
      breakers.values().map(({endpoint, breaker}) => ({endpoint, state: breaker.state, openForMs: breaker.openForMs}))
    )
  }

  #target(name: string): Target | undefined {
    const listed = this.#listed.get(name)
    const defaults = this.#defaults
    return listed ?? (defaults && this.#unlisted.get(name, () => newTarget(defaults)))
  }
}

const newTarget = (policies: TargetPolicies): Target => ({
  policies,
  breakers: new RecentlyUsed(policies.circuitBreakerCacheSize)
})

/** A cache that drops the least recently used value when it holds more than `max`. */
export class RecentlyUsed<Value> {
  readonly #max: number
  readonly #values = new Map<string, Value>()

  constructor(max: number) {
    this.#max = max
  }

  /** The value of a key, created if it is missing. */
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
