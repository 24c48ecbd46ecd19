import type {MetricsSettings} from '../../resources/metrics-settings.ts'
import {GrpcMetrics} from './grpc.ts'
import {HttpMetrics} from './http.ts'
import {InvocationMetrics} from './invocation.ts'
import {registerProcess} from './process.ts'
import {MetricsRegistry} from './registry.ts'
import {ResiliencyMetrics} from './resiliency.ts'
import {relabelBy} from './rules.ts'

/** The metrics of one sidecar, with Dapr's names. Counting is cheap and always on; the text is created on request. */
export class SidecarMetrics {
  /** Content type of the text. */
  static readonly CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
  readonly http: HttpMetrics
  readonly grpc: GrpcMetrics
  readonly invocation: InvocationMetrics
  readonly resiliency: ResiliencyMetrics
  readonly #registry: MetricsRegistry
  readonly #readProcess: () => void
  readonly #countError: (code: string, category: string) => void

  constructor(appId: string, settings: MetricsSettings) {
    const registry = new MetricsRegistry(relabelBy(settings.rules))
    this.#registry = registry
    this.http = new HttpMetrics(registry, appId, settings)
    this.grpc = new GrpcMetrics(registry, appId, settings)
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

  /** An error response of Dapr's API: `ERR_DIRECT_INVOKE`, `service-invocation`. */
  failed(code: string, category: string): void {
    this.#countError(code, category)
  }

  /** The response of the metrics port, for any path. */
  text(): string {
    this.#readProcess()
    return this.#registry.text()
  }
}
