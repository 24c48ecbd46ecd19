import type {WorkflowEvent, ActorCounts, ActorEvent} from '../../../model/work-event.ts'
import type {MetricName} from './metrics-table.ts'
import type {MetricsRegistry} from './registry.ts'

const LEVELS = {
  pending: 'dapr_runtime_actor_pending_actor_calls',
  timers: 'dapr_runtime_actor_timers',
  reminders: 'dapr_runtime_actor_reminders'
} as const

/** Metrics of the actors that an app hosts. */
export class ActorMetrics {
  readonly #registry: MetricsRegistry
  readonly #appId: string
  readonly #types = new Set<string>()

  constructor(registry: MetricsRegistry, appId: string) {
    this.#registry = registry
    this.#appId = appId
  }

  record({actor, ...event}: ActorEvent): void {
    if (event.type === 'fired') {
      const family = this.#registry.counter(`dapr_runtime_actor_${event.kind}s_fired_total`)
      family.series(this.#appId, actor, String(event.isSuccess)).value++
    } else if (event.isSuccess)
      this.#registry.counter('dapr_runtime_actor_deactivated_total').series(this.#appId, actor).value++
    else
      this.#registry.counter('dapr_runtime_actor_deactivated_failed_total').series(this.#appId, actor, 'invoke').value++
  }

  /** Sets the current counts. Types without actors become zero. */
  level(counts: readonly ActorCounts[]): void {
    for (const {actor} of counts) this.#types.add(actor)
    for (const type of this.#types) {
      const found = counts.find(({actor}) => actor === type)
      for (const key of ['pending', 'timers', 'reminders'] as const)
        this.#registry.gauge(LEVELS[key]).series(this.#appId, type).value = found?.[key] ?? 0
    }
  }
}

type Name<Kind extends string> = MetricName<Kind> & `dapr_runtime_workflow_${string}`

/** Metrics of workflows (Dapr: pkg/diagnostics/workflow_monitoring.go). */
export class WorkflowMetrics {
  readonly #registry: MetricsRegistry
  readonly #common: readonly [appId: string, namespace: string]

  constructor(registry: MetricsRegistry, appId: string, namespace: string) {
    this.#registry = registry
    this.#common = [appId, namespace]
  }

  record(event: WorkflowEvent): void {
    const common = this.#common
    switch (event.type) {
      case 'asked': {
        const values = [...common, event.operation, event.isSuccess ? 'success' : 'failed']
        this.#count('dapr_runtime_workflow_operation_count', values)
        return this.#time('dapr_runtime_workflow_operation_latency', values, event.elapsedMs)
      }
      case 'begun':
        return this.#time('dapr_runtime_workflow_scheduling_latency', [...common, event.workflow], event.elapsedMs)
      case 'ended': {
        const values = [...common, event.status, event.workflow]
        this.#count('dapr_runtime_workflow_execution_count', values)
        return this.#time('dapr_runtime_workflow_execution_latency', values, event.elapsedMs)
      }
      case 'turn-sized':
        return this.#observe('dapr_runtime_workflow_payload_size_ratio', [...common, event.workflow], event.share)
      case 'activity-sized': {
        const values = [event.activity, ...common, event.workflow]
        return this.#observe('dapr_runtime_workflow_activity_payload_size_ratio', values, event.share)
      }
      case 'activity-sent':
        return this.#count('dapr_runtime_workflow_activity_operation_count', [event.activity, ...common, 'success'])
      case 'activity-ended': {
        const values = [event.activity, ...common, event.status]
        this.#count('dapr_runtime_workflow_activity_execution_count', values)
        return this.#time('dapr_runtime_workflow_activity_execution_latency', values, event.elapsedMs)
      }
    }
  }

  #count(name: Name<'counter'>, values: readonly string[]): void {
    this.#registry.counter(name).series(...values).value++
  }

  /** Counts a time, except 0, as Dapr does. */
  #time(name: Name<'histogram'>, values: readonly string[], elapsedMs: number): void {
    if (elapsedMs > 0) this.#observe(name, values, elapsedMs)
  }

  #observe(name: Name<'histogram'>, values: readonly string[], value: number): void {
    this.#registry
      .histogram(name)
      .series(...values)
      .observe(value)
  }
}
