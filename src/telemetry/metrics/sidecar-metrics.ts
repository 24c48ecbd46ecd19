import type {MetricsSettings} from '../../resources/metrics-settings.ts'
import {ComponentMetrics} from './components.ts'
import type {Counter, Family} from './family.ts'
import {GrpcMetrics} from './grpc.ts'
import {HttpMetrics} from './http.ts'
import {InvocationMetrics} from './invocation.ts'
import {registerProcess} from './process.ts'
import {MetricsRegistry} from './registry.ts'
import {ResiliencyMetrics} from './resiliency.ts'
import {relabelBy} from './rules.ts'

/**
 * The metrics of one sidecar, with Dapr's names. Counting is cheap and always on; families are created by what they count
 * first, the text on request.
 */
export class SidecarMetrics {
  readonly #appId: string
  readonly #namespace: string
  readonly #settings: MetricsSettings
  readonly #registry: MetricsRegistry
  #http: HttpMetrics | undefined
  #grpc: GrpcMetrics | undefined
  #invocation: InvocationMetrics | undefined
  #resiliency: ResiliencyMetrics | undefined
  #components: ComponentMetrics | undefined
  #errors: Family<Counter> | undefined
  #readProcess: (() => void) | undefined

  /** `namespace`: of the sidecar. */
  constructor(appId: string, namespace: string, settings: MetricsSettings) {
    this.#appId = appId
    this.#namespace = namespace
    this.#settings = settings
    this.#registry = new MetricsRegistry(relabelBy(settings.rules))
  }

  get http(): HttpMetrics {
    return (this.#http ??= new HttpMetrics(this.#registry, this.#appId, this.#settings))
  }

  get grpc(): GrpcMetrics {
    return (this.#grpc ??= new GrpcMetrics(this.#registry, this.#appId, this.#settings))
  }

  get invocation(): InvocationMetrics {
    const {latencyBuckets} = this.#settings
    return (this.#invocation ??= new InvocationMetrics(this.#registry, this.#appId, latencyBuckets))
  }

  get resiliency(): ResiliencyMetrics {
    return (this.#resiliency ??= new ResiliencyMetrics(this.#registry, this.#appId))
  }

  get components(): ComponentMetrics {
    const {latencyBuckets} = this.#settings
    const options = {appId: this.#appId, namespace: this.#namespace, latencyBuckets}
    return (this.#components ??= new ComponentMetrics(this.#registry, options))
  }

  /** An error response of Dapr's API: `ERR_DIRECT_INVOKE`, `service-invocation`. */
  failed(code: string, category: string): void {
    if (!this.#settings.hasErrorCodes) return
    this.#errors ??= this.#registry.counter(
      'dapr_error_code_total',
      'Total number of times an error with a specific error code was encountered.',
      ['app_id', 'error_code', 'category']
    )
    this.#errors.series(this.#appId, code, category).value++
  }

  /** The response of the metrics port, for any path. */
  text(): string {
    this.#readProcess ??= registerProcess(this.#registry)
    this.#readProcess()
    return this.#registry.text()
  }
}
