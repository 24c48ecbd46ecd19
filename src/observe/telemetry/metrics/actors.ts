import type {ActorCounts, ActorEvent} from '../../../model/actor-event.ts'
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
  /** The types that there were. */
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

  /** Sets the current counts; types that have none any more become zero. */
  level(counts: readonly ActorCounts[]): void {
    for (const {actor} of counts) this.#types.add(actor)
    for (const type of this.#types) {
      const found = counts.find(({actor}) => actor === type)
      for (const key of ['pending', 'timers', 'reminders'] as const)
        this.#registry.gauge(LEVELS[key]).series(this.#appId, type).value = found?.[key] ?? 0
    }
  }
}
