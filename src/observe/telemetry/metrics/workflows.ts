import type {WorkflowEvent} from '../../../model/workflow-event.ts'
import type {ComponentMetricsOptions} from './components.ts'
import type {Family, Series} from './family.ts'
import {LATENCY_BUCKETS, type MetricsRegistry} from './registry.ts'

/** Of the largest message (Dapr: pkg/diagnostics/metrics.go, payloadRatioDistribution). */
const SHARE_BUCKETS = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1, 1.5, 2]

const LATENCY = {
  operation: 'The latencies of responses for workflow operation requests.',
  execution: 'The total time taken to run workflow to completion.',
  scheduling: 'Interval between workflow execution request and workflow execution.',
  activity_execution: 'The total time taken to run an activity to completion.'
} as const

const COUNT = {
  operation: 'The number of successful/failed workflow operation requests.',
  execution: 'The number of successful/failed/recoverable workflow executions.',
  activity_operation: 'The number of successful/failed activity operation requests.',
  activity_execution: 'The number of successful/failed/recoverable activity executions.'
} as const

const SHARE = {
  payload: 'Workflow payload size as a fraction of the configured gRPC max body size',
  activity_payload: 'Activity payload size as a fraction of the configured gRPC max body size'
} as const

const SHARE_MEANS = '; values >=0.95 trip the stall, values >1 exceed the limit.'

/** The labels of a series besides `app_id` and `namespace`. */
type Labels = Readonly<Record<string, string>>

/** Metrics of workflows (Dapr: pkg/diagnostics/workflow_monitoring.go). */
export class WorkflowMetrics {
  readonly #registry: MetricsRegistry
  readonly #common: Labels
  readonly #buckets: readonly number[]
  readonly #families = new Map<string, Family<Series>>()

  constructor(registry: MetricsRegistry, {appId, namespace, latencyBuckets}: ComponentMetricsOptions) {
    this.#registry = registry
    this.#common = {app_id: appId, namespace}
    this.#buckets = latencyBuckets ?? LATENCY_BUCKETS
  }

  record(event: WorkflowEvent): void {
    switch (event.type) {
      case 'asked': {
        const labels = {operation: event.operation, status: event.isSuccess ? 'success' : 'failed'}
        this.#count('operation', labels)
        return this.#time('operation', labels, event.elapsedMs)
      }
      case 'begun':
        return this.#time('scheduling', {workflow_name: event.workflow}, event.elapsedMs)
      case 'ended': {
        const labels = {status: event.status, workflow_name: event.workflow}
        this.#count('execution', labels)
        return this.#time('execution', labels, event.elapsedMs)
      }
      case 'turn-sent':
        return this.#share('payload', {workflow_name: event.workflow}, event.share)
      case 'activity-sent': {
        this.#count('activity_operation', {activity_name: event.activity, status: 'success'})
        const labels = {activity_name: event.activity, workflow_name: event.workflow}
        return this.#share('activity_payload', labels, event.share)
      }
      case 'activity-ended': {
        const labels = {activity_name: event.activity, status: event.status}
        this.#count('activity_execution', labels)
        return this.#time('activity_execution', labels, event.elapsedMs)
      }
    }
  }

  #count(name: keyof typeof COUNT, own: Labels): void {
    const all = sorted({...this.#common, ...own})
    const family = this.#family(`${name}_count`, full => this.#registry.counter(full, COUNT[name], Object.keys(all)))
    family.series(...Object.values(all)).value++
  }

  /** Dapr leaves out times of 0. */
  #time(name: keyof typeof LATENCY, own: Labels, elapsedMs: number): void {
    if (elapsedMs > 0) this.#observe(`${name}_latency`, LATENCY[name], {own, value: elapsedMs, buckets: this.#buckets})
  }

  #share(name: keyof typeof SHARE, own: Labels, value: number): void {
    this.#observe(`${name}_size_ratio`, SHARE[name] + SHARE_MEANS, {own, value, buckets: SHARE_BUCKETS})
  }

  #observe(
    name: string,
    help: string,
    {own, value, buckets}: {readonly own: Labels; readonly value: number; readonly buckets: readonly number[]}
  ): void {
    const all = sorted({...this.#common, ...own})
    const family = this.#family(name, full => this.#registry.histogram(full, help, Object.keys(all), buckets))
    family.series(...Object.values(all)).observe(value)
  }

  #family<Kind extends Series>(name: string, create: (full: string) => Family<Kind>): Family<Kind> {
    const known = this.#families.get(name)
    // each name has one kind
    if (known !== undefined) return known as Family<Kind>
    const family = create(`dapr_runtime_workflow_${name}`)
    this.#families.set(name, family)
    return family
  }
}

/** Labels stand in the order of their names. */
const sorted = (labels: Labels): Labels =>
  Object.fromEntries(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
