import type {ActorEvent} from '../../../model/actor-event.ts'
import type {Counter, Family} from './family.ts'
import type {MetricsRegistry} from './registry.ts'

const MEASURES = {
  timers_fired_total: {help: 'The number of actor timers fired requests.', labels: ['success']},
  reminders_fired_total: {help: 'The number of actor reminders fired requests.', labels: ['success']},
  deactivated_total: {help: 'The number of successful actor deactivation.', labels: []},
  deactivated_failed_total: {help: 'The number of failed actor deactivation.', labels: ['reason']}
} as const

/** Metrics of the actors that an app hosts (Dapr: pkg/diagnostics/service_monitoring.go). */
export class ActorMetrics {
  readonly #registry: MetricsRegistry
  readonly #appId: string
  readonly #families = new Map<string, Family<Counter>>()

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

  #add(name: keyof typeof MEASURES, ...values: readonly string[]): void {
    const {help, labels} = MEASURES[name]
    const known = this.#families.get(name)
    const all = ['app_id', 'actor_type', ...labels]
    const family = known ?? this.#registry.counter(`dapr_runtime_actor_${name}`, help, all)
    this.#families.set(name, family)
    family.series(this.#appId, ...values).value++
  }
}
