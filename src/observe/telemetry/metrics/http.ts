import type {MetricsSettings} from '../../../files/resources/metrics-settings.ts'
import {PathLabels} from './paths.ts'
import {type MetricsRegistry, SeriesCache} from './registry.ts'

interface HttpCall {
  readonly verb: string
  /** Path as in the request, with its query. */
  readonly path: string
  readonly status: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly elapsedMs: number
}

/** Other verbs are counted as `UNKNOWN` (Dapr: diagnostics/utils, ValidHTTPVerbs). */
const VERBS = new Set(['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE'])

/** HTTP metrics of a sidecar's API, and of its calls to the app (Dapr: pkg/diagnostics/http_monitoring.go). */
export class HttpMetrics {
  readonly #server: ReturnType<typeof serverSeries>
  readonly #client: ReturnType<typeof clientSeries>
  readonly #registry: MetricsRegistry
  readonly #appId: string

  constructor(registry: MetricsRegistry, appId: string, settings: MetricsSettings) {
    this.#registry = registry
    this.#appId = appId
    const {hasVerbs, pathMatching, hasFullPaths} = settings
    const paths = new PathLabels(pathMatching, hasFullPaths)
    const verbOf = (verb: string): string => (hasVerbs ? (VERBS.has(verb) ? verb : 'UNKNOWN') : '')
    const labels: Labels['labels'] = (path, verb, status) => [appId, verbOf(verb), paths.label(path), status]
    const keyOf = (target: string): string => paths.alike(target)
    this.#server = serverSeries(registry, {appId, labels, keyOf, hasFullPaths})
    this.#client = clientSeries(registry, {appId, labels, keyOf})
  }

  served({verb, path, status, requestBytes, responseBytes, elapsedMs}: HttpCall): void {
    const series = this.#server.get(path, verb, status)
    series.requests.value++
    if (series.responses !== undefined) series.responses.value++
    series.latency.observe(elapsedMs)
    series.requestBytes.observe(requestBytes)
    series.responseBytes.observe(responseBytes)
  }

  /** Counts a response of the app or of an external endpoint. Without a response the status is 500, as in Dapr. */
  sent({verb, path, status, requestBytes, responseBytes, elapsedMs}: HttpCall): void {
    const series = this.#client.get(path, verb, status)
    series.completed.value++
    series.latency.observe(elapsedMs)
    series.sentBytes.observe(requestBytes)
    series.receivedBytes.observe(responseBytes)
  }

  /** Counts a finished health check of the app. */
  probed(status: number, elapsedMs: number): void {
    const labels = [this.#appId, status.toString()]
    this.#registry.counter('dapr_http_healthprobes_completed_count').series(...labels).value++
    const latency = this.#registry.histogram('dapr_http_healthprobes_roundtrip_latency')
    latency.series(...labels).observe(elapsedMs)
  }
}

interface Labels {
  readonly appId: string
  readonly labels: (path: string, verb: string, status: string) => readonly string[]
  /** Key of requests with the same labels. */
  readonly keyOf: (target: string) => string
}

function serverSeries(
  registry: MetricsRegistry,
  {appId, labels, keyOf, hasFullPaths}: Labels & {hasFullPaths: boolean}
) {
  return new SeriesCache((path, verb, status) => {
    const all = labels(path, verb, status.toString())
    return {
      requests: registry.counter('dapr_http_server_request_count').series(...all),
      responses: hasFullPaths ? registry.counter('dapr_http_server_response_count').series(...all) : undefined,
      latency: registry.histogram('dapr_http_server_latency').series(...all),
      requestBytes: registry.histogram('dapr_http_server_request_bytes').series(appId),
      responseBytes: registry.histogram('dapr_http_server_response_bytes').series(appId)
    }
  }, keyOf)
}

function clientSeries(registry: MetricsRegistry, {appId, labels, keyOf}: Labels) {
  return new SeriesCache((path, verb, status) => {
    const all = labels(path, verb, status.toString())
    return {
      completed: registry.counter('dapr_http_client_completed_count').series(...all),
      latency: registry.histogram('dapr_http_client_roundtrip_latency').series(...all),
      // Dapr counts these bytes before the status is known
      sentBytes: registry.histogram('dapr_http_client_sent_bytes').series(...labels(path, verb, '')),
      receivedBytes: registry.histogram('dapr_http_client_received_bytes').series(appId)
    }
  }, keyOf)
}
