import type {ComponentEvent} from '../../../model/component-event.ts'
import type {Counter, Family, Histogram} from './family.ts'
import {LATENCY_BUCKETS, type MetricsRegistry} from './registry.ts'

export interface ComponentMetricsOptions {
  readonly appId: string
  /** Namespace of the sidecar. */
  readonly namespace: string
  /** Undefined: Dapr's. */
  readonly latencyBuckets: readonly number[] | undefined
}

/** A metric, with the labels that it has in addition to the common ones. */
interface Measure {
  readonly labels: readonly string[]
  readonly count: string
  /** '' = no time is measured. */
  readonly latency: string
}

const called = (block: string): Measure => ({
  labels: ['operation', 'success'],
  count: `The number of operations performed on the ${block} component.`,
  latency: `The latency of the response from the ${block} component.`
})

const MEASURES = {
  state_count: called('state'),
  secret_count: called('secret'),
  configuration_count: called('configuration'),
  crypto_count: called('crypto'),
  conversation_count: {...called('conversation'), labels: ['success']},
  output_binding_count: {
    labels: ['operation', 'success'],
    count: 'The number of operations invoked on the output binding component.',
    latency: 'The latency of the response from the output binding component.'
  },
  input_binding_count: {
    labels: ['success'],
    count: 'The number of incoming events arriving from the input binding component.',
    latency: 'The triggered app event processing latency.'
  },
  pubsub_egress_count: {
    labels: ['success', 'topic'],
    count: 'The number of outgoing messages published to the pub/sub component.',
    latency: 'The latency of the response from the pub/sub component.'
  },
  pubsub_egress_bulk_count: {
    labels: ['success', 'topic'],
    count: 'The number of bulk publish calls to the pub/sub component.',
    latency: 'The latency of the response for the bulk publish call from the pub/sub component.'
  },
  pubsub_egress_bulk_event_count: {
    labels: ['success', 'topic'],
    count: 'The number of outgoing messages to the pub/sub component published through bulk publish API.',
    latency: ''
  },
  pubsub_ingress_count: {
    labels: ['process_status', 'status', 'topic'],
    count: 'The number of incoming messages arriving from the pub/sub component.',
    latency: 'The consuming app event processing latency.'
  },
  pubsub_ingress_bulk_count: {
    labels: ['process_status', 'topic'],
    count: 'The number of incoming bulk subscribe calls arriving from the bulk pub/sub component.',
    latency: 'The consuming app event processing latency for the bulk pub/sub component.'
  },
  pubsub_ingress_bulk_event_count: {
    labels: ['process_status', 'topic'],
    count: 'Total number of incoming messages arriving from the bulk pub/sub component via Bulk Subscribe.',
    latency: ''
  }
} as const satisfies Readonly<Record<string, Measure>>

interface Families {
  readonly counts: Family<Counter>
  readonly latencies: Family<Histogram> | undefined
}

interface JobFamilies {
  readonly successes: Family<Counter>
  readonly failures: Family<Counter>
  readonly latencies: Family<Histogram>
}

/** Metrics of components (Dapr: pkg/diagnostics/component_monitoring.go). */
export class ComponentMetrics {
  readonly #options: ComponentMetricsOptions
  readonly #registry: MetricsRegistry
  readonly #families = new Map<keyof typeof MEASURES, Families>()
  #jobs: JobFamilies | undefined

  constructor(registry: MetricsRegistry, options: ComponentMetricsOptions) {
    this.#registry = registry
    this.#options = options
  }

  record(event: ComponentEvent): void {
    const {component, elapsedMs} = event
    switch (event.type) {
      case 'called': {
        const {block, operation, isSuccess} = event
        const asked = block === 'conversation' ? [] : [operation]
        return this.#add(`${block}_count`, [component, ...asked, String(isSuccess)], {elapsedMs})
      }
      case 'triggered':
        return this.#add('input_binding_count', [component, String(event.isSuccess)], {elapsedMs})
      case 'job':
        return this.#addJob(event.isSuccess, elapsedMs)
      case 'published':
        return this.#add('pubsub_egress_count', [component, String(event.isSuccess), event.topic], {elapsedMs})
      case 'bulk-published': {
        const {topic, isSuccess, events} = event
        this.#add('pubsub_egress_bulk_count', [component, String(isSuccess), topic], {elapsedMs})
        if (events > 0) this.#add('pubsub_egress_bulk_event_count', [component, 'true', topic], {times: events})
        return
      }
      case 'delivered': {
        const {topic, processStatus, status} = event
        return this.#add('pubsub_ingress_count', [component, processStatus, status, topic], {elapsedMs})
      }
      case 'bulk-delivered': {
        const {topic, statuses} = event
        this.#add('pubsub_ingress_bulk_count', [component, '', topic], {elapsedMs})
        for (const [status, times] of statuses)
          this.#add('pubsub_ingress_bulk_event_count', [component, status.toUpperCase(), topic], {times})
      }
    }
  }

  #add(
    name: keyof typeof MEASURES,
    [component = '', ...values]: readonly string[],
    {elapsedMs = 0, times = 1}: {readonly elapsedMs?: number; readonly times?: number}
  ): void {
    const {appId, namespace} = this.#options
    const {counts, latencies} = this.#families.get(name) ?? this.#open(name)
    counts.series(appId, component, namespace, ...values).value += times
    if (elapsedMs > 0) latencies?.series(appId, component, namespace, ...values).observe(elapsedMs)
  }

  /** Jobs have two counters in place of a label, and no component. */
  #addJob(isSuccess: boolean, elapsedMs: number): void {
    const {appId, namespace} = this.#options
    const {successes, failures, latencies} = (this.#jobs ??= this.#openJobs())
    const values = [appId, namespace, 'job_trigger_op'] as const
    const counts = isSuccess ? successes : failures
    counts.series(...values).value++
    latencies.series(...values, String(isSuccess)).observe(elapsedMs)
  }

  #openJobs(): JobFamilies {
    const labels = ['app_id', 'namespace', 'operation']
    const help = 'The latency of the response from the app that processed the triggered job.'
    const count = (word: string, words: string): Family<Counter> =>
      this.#registry.counter(`dapr_component_job_${word}_count`, `The number of ${words} job triggers.`, labels)
    const {latencyBuckets = LATENCY_BUCKETS} = this.#options
    return {
      successes: count('success', 'successful'),
      failures: count('failure', 'failed'),
      latencies: this.#registry.histogram('dapr_component_job_latencies', help, [...labels, 'success'], latencyBuckets)
    }
  }

  #open(name: keyof typeof MEASURES): Families {
    const {latencyBuckets = LATENCY_BUCKETS} = this.#options
    const {count, latency, labels: own}: Measure = MEASURES[name]
    const labels = ['app_id', 'component', 'namespace', ...own]
    const full = `dapr_component_${name}`
    const families: Families = {
      counts: this.#registry.counter(full, count, labels),
      latencies:
        latency === ''
          ? undefined
          : this.#registry.histogram(full.replace(/_count$/, '_latencies'), latency, labels, latencyBuckets)
    }
    this.#families.set(name, families)
    return families
  }
}
