import type {BreakerState, Endpoint, PolicyKind, ResiliencyEvent} from '../../../model/resiliency-event.ts'
import type {MetricsRegistry} from './registry.ts'

/** The Resiliency resource that defines the policies. */
interface ResiliencyName {
  readonly name: string
  readonly namespace: string
}

const STATES = ['closed', 'half-open', 'open', 'unknown'] as const

/** Metrics of policies (Dapr: pkg/diagnostics/resiliency_monitoring.go). */
export class ResiliencyMetrics {
  readonly #appId: string
  readonly #registry: MetricsRegistry
  /** The targets with a circuit breaker, and its last state. */
  readonly #breakers = new Map<string, {readonly endpoint: Endpoint; readonly state: BreakerState}>()
  #name: ResiliencyName = {name: '', namespace: ''}

  constructor(registry: MetricsRegistry, appId: string) {
    this.#appId = appId
    this.#registry = registry
  }

  /** Notes the loaded resources. As in Dapr, all policies are counted under the name of the last one. */
  loaded(resources: readonly ResiliencyName[]): void {
    // the circuit breakers of earlier resources no longer exist
    for (const {endpoint} of this.#breakers.values()) this.#show(endpoint, 'closed')
    this.#breakers.clear()
    this.#name = resources.at(-1) ?? this.#name
    const loaded = this.#registry.counter('dapr_resiliency_loaded')
    for (const {name, namespace} of resources) loaded.series(this.#appId, name, namespace).value++
  }

  record(event: ResiliencyEvent): void {
    const {endpoint} = event
    if (endpoint.target === '') return // built-in retries are not counted
    switch (event.type) {
      case 'applied': {
        const {policy, state} = event
        this.#registry.counter('dapr_resiliency_count').series(...this.#labels(endpoint, policy, state)).value++
        if (state !== '') this.#show(endpoint, state)
        return
      }
      case 'retrying':
        if (event.retry === 1) this.#activated(endpoint, 'retry')
        return
      case 'timed-out':
        if (event.isFirst) this.#activated(endpoint, 'timeout')
        return
      case 'breaker-changed':
        // a breaker becomes half-open when its timeout expires, not by a call
        if (event.to !== 'half-open') this.#activated(endpoint, 'circuitbreaker', event.to)
        this.#show(endpoint, event.to)
        return
      case 'recovered':
      case 'not-retried':
      case 'refused':
    }
  }

  #activated(endpoint: Endpoint, policy: PolicyKind, status = ''): void {
    const family = this.#registry.counter('dapr_resiliency_activations_total')
    family.series(...this.#labels(endpoint, policy, status)).value++
  }

  /** Sets the gauge of the state to 1, and those of the other states to 0. */
  #show(endpoint: Endpoint, state: BreakerState): void {
    const key = keyOf(endpoint)
    if (this.#breakers.get(key)?.state === state) return
    this.#breakers.set(key, {endpoint, state})
    const family = this.#registry.gauge('dapr_resiliency_cb_state')
    for (const each of STATES)
      family.series(...this.#labels(endpoint, 'circuitbreaker', each)).value = Number(each === state)
  }

  #labels({target, component}: Endpoint, policy: PolicyKind, status: string): readonly string[] {
    const {name, namespace} = this.#name
    const flow = component?.direction ?? 'outbound'
    const label = component === undefined ? `app_${target}` : `${component.kind}_${target}`
    return [this.#appId, name, policy, namespace, flow, label, status]
  }
}

/** Distinguishes a target. A component has policies for both directions, and may be called as an app, too. */
const keyOf = ({target, component}: Endpoint): string =>
  component === undefined ? target : `${target} ${component.kind} ${component.direction}`
