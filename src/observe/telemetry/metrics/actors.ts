import type {ActorCounts, ActorEvent} from '../../../model/actor-event.ts'
import type {Counter, Family, Gauge} from './family.ts'
import type {MetricsRegistry} from './registry.ts'

const MEASURES = {
  timers_fired_total: {help: 'The number of actor timers fired requests.', labels: ['success']},
  reminders_fired_total: {help: 'The number of actor reminders fired requests.', labels: ['success']},
  deactivated_total: {help: 'The number of successful actor deactivation.', labels: []},
  deactivated_failed_total: {help: 'The number of failed actor deactivation.', labels: ['reason']}
} as const

const LEVELS = {
  pending: ['pending_actor_calls', 'The number of pending actor calls waiting to acquire the per-actor lock.'],
  timers: ['timers', 'The number of actor timer requests.'],
  reminders: ['reminders', 'The number of actor reminder requests.']
} as const

/** Metrics of the actors that an app hosts (Dapr: pkg/diagnostics/service_monitoring.go). */
export class ActorMetrics {
  readonly #registry: MetricsRegistry
  readonly #appId: string
  readonly #families = new Map<string, Family<Counter>>()
  #levels: readonly (readonly [key: keyof typeof LEVELS, family: Family<Gauge>])[] | undefined
  /** The types that there were. */
  readonly #types = new Set<string>()

  constructor(registry: MetricsRegistry, appId: string) {
    this.#registry = registry
    this.#appId = appId
  }

  record(event: ActorEvent): void {
    const {actor, isSuccess} = event
    if (event.type === 'fired') this.#add(`${event.kind}s_fired_total`, actor, String(isSuccess))
    else if (isSuccess) this.#add('deactivated_total', actor)
    else this.#add('deactivated_failed_total', actor, 'invoke')
  }

  /** What there is now; types of which there is nothing any more have zeros. */
  level(counts: readonly ActorCounts[]): void {
    this.#levels ??= (Object.keys(LEVELS) as (keyof typeof LEVELS)[]).map(key => {
      const [name, help] = LEVELS[key]
      return [key, this.#registry.gauge(`dapr_runtime_actor_${name}`, help, ['app_id', 'actor_type'])]
    })
    for (const {actor} of counts) this.#types.add(actor)
    for (const type of this.#types)
      for (const [key, family] of this.#levels)
        family.series(this.#appId, type).value = counts.find(({actor}) => actor === type)?.[key] ?? 0
  }

  #add(name: keyof typeof MEASURES, ...values: readonly string[]): void {
    const {help, labels} = MEASURES[name]
    const known = this.#families.get(name)
    const all = ['app_id', 'actor_type', ...labels]
    const family = known ?? this.#registry.counter(`dapr_runtime_actor_${name}`, help, all)
    this.#families.set(name, family)
    family.series(this.#appId, ...values).value++
  }
}
