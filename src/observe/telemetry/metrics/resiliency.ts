import type {BreakerState, Endpoint, PolicyKind, ResiliencyEvent} from '../../../model/resiliency-event.ts'
import type {Counter} from './family.ts'
import type {MetricsRegistry} from './registry.ts'

/** The Resiliency resource that defines the policies. */
interface ResiliencyName {
  readonly name: string
  readonly namespace: string
}

const STATES = ['closed', 'half-open', 'open', 'unknown'] as const

/** Maximum number of cached targets; beyond it the cache is cleared. */
const MAX_TARGETS = 1000

/** Metrics of policies (Dapr: pkg/diagnostics/resiliency_monitoring.go). */
export class ResiliencyMetrics {
  readonly #appId: string
  readonly #registry: MetricsRegistry
  readonly #targets = new Map<string, TargetSeries>()
  #name: ResiliencyName = {name: '', namespace: ''}

  constructor(registry: MetricsRegistry, appId: string) {
    this.#appId = appId
    this.#registry = registry
  }

  /** Notes the loaded resources. As in Dapr, all policies are counted under the name of the last one. */
  loaded(resources: readonly ResiliencyName[]): void {
    this.#name = resources.at(-1) ?? this.#name
    for (const target of this.#targets.values()) target.replaced()
    this.#targets.clear()
    const loaded = this.#registry.counter('dapr_resiliency_loaded')
    for (const {name, namespace} of resources) loaded.series(this.#appId, name, namespace).value++
  }

  record(event: ResiliencyEvent): void {
    if (event.endpoint.target === '') return // built-in retries are not counted
    const target = this.#targets.get(keyOf(event.endpoint)) ?? this.#addTarget(event.endpoint)
    switch (event.type) {
      case 'applied':
        return target.applied(event.policy, event.state)
      case 'retrying':
        if (event.retry === 1) target.activated('retry', '')
        return
      case 'timed-out':
        if (event.isFirst) target.activated('timeout', '')
        return
      case 'breaker-changed':
        // an expired timeout is not caused by a call
        if (event.to !== 'half-open') target.activated('circuitbreaker', event.to)
        target.show(event.to)
        return
      case 'recovered':
      case 'not-retried':
      case 'refused':
    }
  }

  #addTarget(endpoint: Endpoint): TargetSeries {
    const {target: name, component} = endpoint
    const flow = component?.direction ?? 'outbound'
    const label = component === undefined ? `app_${name}` : `${component.kind}_${name}`
    if (this.#targets.size >= MAX_TARGETS) this.#targets.clear()
    const labels = (policy: PolicyKind, status: string): string[] => {
      const {name: resource, namespace} = this.#name
      return [this.#appId, resource, policy, namespace, flow, label, status]
    }
    const target = new TargetSeries({
      count: (policy, status) => this.#registry.counter('dapr_resiliency_count').series(...labels(policy, status)),
      activation: (policy, status) =>
        this.#registry.counter('dapr_resiliency_activations_total').series(...labels(policy, status)),
      states: () =>
        STATES.map(state => this.#registry.gauge('dapr_resiliency_cb_state').series(...labels('circuitbreaker', state)))
    })
    this.#targets.set(keyOf(endpoint), target)
    return target
  }
}

/** A component has two sets of policies, and may be called as an app. */
const keyOf = ({target, component}: Endpoint): string =>
  component === undefined ? target : `${target} ${component.kind} ${component.direction}`

interface Lookup {
  readonly count: (policy: PolicyKind, status: string) => Counter
  readonly activation: (policy: PolicyKind, status: string) => Counter
  readonly states: () => readonly Counter[]
}

/** The series of one target, looked up on first use. */
class TargetSeries {
  readonly #lookup: Lookup
  readonly #counts = new Map<string, Counter>()
  #states: readonly Counter[] | undefined
  #shown: BreakerState | '' = ''

  constructor(lookup: Lookup) {
    this.#lookup = lookup
  }

  applied(policy: PolicyKind, state: BreakerState | ''): void {
    const key = state === '' ? policy : state // only circuit breakers have states
    let counter = this.#counts.get(key)
    if (counter === undefined) this.#counts.set(key, (counter = this.#lookup.count(policy, state)))
    counter.value++
    if (state !== '') this.show(state)
  }

  activated(policy: PolicyKind, status: string): void {
    this.#lookup.activation(policy, status).value++
  }

  /** Called when the target's circuit breaker is gone or replaced. */
  replaced(): void {
    if (this.#shown !== '') this.show('closed')
  }

  show(state: BreakerState): void {
    if (state === this.#shown) return
    this.#shown = state
    this.#states ??= this.#lookup.states()
    for (const [index, gauge] of this.#states.entries()) gauge.value = STATES[index] === state ? 1 : 0
  }
}
