import type {MetricsSettings} from '../../resources/metrics-settings.ts'
import {HttpMetrics} from './http.ts'
import {InvocationMetrics} from './invocation.ts'
import {registerProcess} from './process.ts'
import {MetricsRegistry} from './registry.ts'
import {ResiliencyMetrics} from './resiliency.ts'
import {relabelBy} from './rules.ts'

/** The metrics of one sidecar, under Dapr's names. Counting is cheap and always done; the text is made when it is asked for. */
export class SidecarMetrics {
  /** Of the text. */
  static readonly CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
  readonly http: HttpMetrics
  readonly invocation: InvocationMetrics
  readonly resiliency: ResiliencyMetrics
  readonly #registry: MetricsRegistry
  readonly #readProcess: () => void
  readonly #countError: (code: string, category: string) => void

  constructor(appId: string, settings: MetricsSettings) {
    const registry = new MetricsRegistry(relabelBy(settings.rules))
    this.#registry = registry
    this.http = new HttpMetrics(registry, appId, settings)
    this.invocation = new InvocationMetrics(registry, appId, settings.latencyBuckets)
    this.resiliency = new ResiliencyMetrics(registry, appId)
    this.#readProcess = registerProcess(registry)
    const errors = registry.counter(
      'dapr_error_code_total',
      'Total number of times an error with a specific error code was encountered.',
      ['app_id', 'error_code', 'category']
    )
    this.#countError = (code, category) => {
      if (settings.hasErrorCodes) errors.series(appId, code, category).value++
    }
  }

  /** An error of Dapr's was answered: `ERR_DIRECT_INVOKE`, `service-invocation`. */
  failed(code: string, category: string): void {
    this.#countError(code, category)
  }

  /** What the metrics port answers, whatever the path. */
  text(): string {
    this.#readProcess()
    return this.#registry.text()
  }
}
