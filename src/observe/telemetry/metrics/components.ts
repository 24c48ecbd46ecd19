import type {ComponentEvent} from '../../../model/component-event.ts'
import type {MetricName} from './metrics-table.ts'
import type {MetricsRegistry} from './registry.ts'

/** Counted operations; most have a time, too. */
type Counted =
  MetricName<'counter'> extends infer Name ? (Name extends `dapr_component_${infer What}_count` ? What : never) : never
type Timed =
  MetricName<'histogram'> extends infer Name
    ? Name extends `dapr_component_${infer What}_latencies`
      ? What
      : never
    : never

/** Metrics of components (Dapr: pkg/diagnostics/component_monitoring.go). */
export class ComponentMetrics {
  readonly #appId: string
  readonly #namespace: string
  readonly #registry: MetricsRegistry

  constructor(registry: MetricsRegistry, appId: string, namespace: string) {
    this.#registry = registry
    this.#appId = appId
    this.#namespace = namespace
  }

  record(event: ComponentEvent): void {
    const {component, elapsedMs} = event
    switch (event.type) {
      case 'called': {
        const {block, operation, isSuccess} = event
        const asked = block === 'conversation' ? [] : [operation]
        return this.#add(block, [component, ...asked, String(isSuccess)], elapsedMs)
      }
      case 'triggered':
        return this.#add('input_binding', [component, String(event.isSuccess)], elapsedMs)
      case 'job':
        return this.#addJob(event.isSuccess, elapsedMs)
      case 'published':
        return this.#add('pubsub_egress', [component, String(event.isSuccess), event.topic], elapsedMs)
      case 'bulk-published': {
        const {topic, isSuccess, events} = event
        this.#add('pubsub_egress_bulk', [component, String(isSuccess), topic], elapsedMs)
        if (events > 0) this.#count('pubsub_egress_bulk_event', [component, 'true', topic], events)
        return
      }
      case 'delivered': {
        const {topic, processStatus, status} = event
        return this.#add('pubsub_ingress', [component, processStatus, status, topic], elapsedMs)
      }
      case 'bulk-delivered': {
        const {topic, statuses} = event
        this.#add('pubsub_ingress_bulk', [component, '', topic], elapsedMs)
        for (const [status, times] of statuses)
          this.#count('pubsub_ingress_bulk_event', [component, status.toUpperCase(), topic], times)
      }
    }
  }

  #add(what: Counted & Timed, values: readonly string[], elapsedMs: number): void {
    this.#count(what, values)
    if (elapsedMs > 0)
      this.#registry
        .histogram(`dapr_component_${what}_latencies`)
        .series(...this.#all(values))
        .observe(elapsedMs)
  }

  #count(what: Exclude<Counted, `job_${string}`>, values: readonly string[], times = 1): void {
    this.#registry.counter(`dapr_component_${what}_count`).series(...this.#all(values)).value += times
  }

  #all([component = '', ...own]: readonly string[]): readonly string[] {
    return [this.#appId, component, this.#namespace, ...own]
  }

  /** Jobs have two counters in place of a label, and no component. */
  #addJob(isSuccess: boolean, elapsedMs: number): void {
    const values = [this.#appId, this.#namespace, 'job_trigger_op'] as const
    this.#registry.counter(`dapr_component_job_${isSuccess ? 'success' : 'failure'}_count`).series(...values).value++
    this.#registry
      .histogram('dapr_component_job_latencies')
      .series(...values, String(isSuccess))
      .observe(elapsedMs)
  }
}
