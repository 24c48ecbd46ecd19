import type {MetricsSettings, MetricRule} from '../../../files/resources/metrics-settings.ts'
import {ActorMetrics, WorkflowMetrics} from './work.ts'
import {ComponentMetrics} from './components.ts'
import type {Relabel} from './family.ts'
import {GrpcMetrics} from './grpc.ts'
import {HttpMetrics} from './http.ts'
import {InvocationMetrics} from './invocation.ts'
import {MetricsRegistry} from './registry.ts'
import {ResiliencyMetrics} from './resiliency.ts'
import {readdirSync, readFileSync} from 'node:fs'

/** Returns a metric's name without the prefix, which rules may omit. */
const bare = (metric: string): string => metric.replace(/^dapr_/, '')

/** Applies `spec.metrics.rules` to the labels of a metric, in order. */
function relabelBy(rules: readonly MetricRule[]): Relabel {
  if (rules.length === 0) return (_metric, _label, value) => value
  const byKey = Map.groupBy(rules, ({metric, label}) => `${bare(metric)} ${label}`)
  return (metric, label, value) =>
    (byKey.get(`${bare(metric)} ${label}`) ?? []).reduce((text, {replace}) => replace(text), value)
}

const startedAt = Date.now() / 1000 - process.uptime()

/** Creates gauges and counters of Pillion's process, which all sidecars share. Returns a function that updates them, for each export. */
function registerProcess(registry: MetricsRegistry): () => void {
  const cpu = registry.counter('process_cpu_seconds_total')
  const start = registry.gauge('process_start_time_seconds')
  const memory = registry.gauge('process_resident_memory_bytes')
  const virtual = registry.gauge('process_virtual_memory_bytes')
  const open = registry.gauge('process_open_fds')
  const max = registry.gauge('process_max_fds')
  return () => {
    const {user, system} = process.cpuUsage()
    cpu.series().value = (user + system) / 1e6
    start.series().value = startedAt
    memory.series().value = process.memoryUsage.rss()
    // only available on Linux
    const fromLinux = readLinux()
    if (fromLinux === undefined) return
    virtual.series().value = fromLinux.virtualBytes
    open.series().value = fromLinux.openFiles
    max.series().value = fromLinux.maxFiles
  }
}

function readLinux(): {virtualBytes: number; openFiles: number; maxFiles: number} | undefined {
  try {
    const [pages = ''] = readFileSync('/proc/self/statm', 'utf8').split(' ')
    const [, limit = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return {
      virtualBytes: Number(pages) * 4096,
      openFiles: readdirSync('/proc/self/fd').length,
      maxFiles: limit === 'unlimited' ? Infinity : Number(limit)
    }
  } catch {
    return undefined
  }
}

/**
 * The metrics of one sidecar, with Dapr's names. Counting is cheap and always on; families are created by their first count, the text on request.
 */
export class SidecarMetrics {
  readonly #appId: string
  readonly #settings: MetricsSettings
  readonly #registry: MetricsRegistry
  readonly http: HttpMetrics
  readonly grpc: GrpcMetrics
  readonly invocation: InvocationMetrics
  readonly resiliency: ResiliencyMetrics
  readonly components: ComponentMetrics
  readonly actors: ActorMetrics
  readonly workflows: WorkflowMetrics
  #readProcess: (() => void) | undefined

  /** `namespace`: of the sidecar. */
  constructor(appId: string, namespace: string, settings: MetricsSettings) {
    this.#appId = appId
    this.#settings = settings
    const registry = (this.#registry = new MetricsRegistry(relabelBy(settings.rules), settings.latencyBuckets))
    this.http = new HttpMetrics(registry, appId, settings)
    this.grpc = new GrpcMetrics(registry, appId)
    this.invocation = new InvocationMetrics(registry, appId)
    this.resiliency = new ResiliencyMetrics(registry, appId)
    this.components = new ComponentMetrics(registry, appId, namespace)
    this.actors = new ActorMetrics(registry, appId)
    this.workflows = new WorkflowMetrics(registry, appId, namespace)
  }

  /** Counts an error response of Dapr's API, by its code (`ERR_DIRECT_INVOKE`) and category (`service-invocation`). */
  failed(code: string, category: string): void {
    if (!this.#settings.hasErrorCodes) return
    this.#registry.counter('dapr_error_code_total').series(this.#appId, code, category).value++
  }

  /** Returns the response of the metrics port, for any path. */
  text(): string {
    this.#readProcess ??= registerProcess(this.#registry)
    this.#readProcess()
    return this.#registry.text()
  }
}
