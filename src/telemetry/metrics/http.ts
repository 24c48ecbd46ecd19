import type {MetricsSettings} from '../../resources/metrics-settings.ts'
import type {Counter, Family, Histogram} from './family.ts'
import {PathLabels} from './paths.ts'
import {LATENCY_BUCKETS, SIZE_BUCKETS, type MetricsRegistry} from './registry.ts'
import {SeriesCache} from './series-cache.ts'

/** One finished HTTP call, from one side. */
export interface HttpCall {
  readonly verb: string
  /** Decoded, without its query. */
  readonly path: string
  readonly status: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly elapsedMs: number
}

/** Others are counted as `UNKNOWN` (Dapr: diagnostics/utils, ValidHTTPVerbs). */
const VERBS = new Set(['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE'])

interface ServerSeries {
  readonly requests: Counter
  readonly responses: Counter | undefined
  readonly latency: Histogram
  readonly requestBytes: Histogram
  readonly responseBytes: Histogram
}

interface ClientSeries {
  readonly completed: Counter
  readonly latency: Histogram
  readonly sentBytes: Histogram
  readonly receivedBytes: Histogram
}

/** HTTP metrics of a sidecar's API, and of its calls to the app (Dapr: pkg/diagnostics/http_monitoring.go). */
export class HttpMetrics {
  readonly #server: SeriesCache<ServerSeries>
  readonly #client: SeriesCache<ClientSeries>
  readonly #probe: (status: number) => {readonly completed: Counter; readonly latency: Histogram}

  constructor(registry: MetricsRegistry, appId: string, settings: MetricsSettings) {
    const latency = settings.latencyBuckets ?? LATENCY_BUCKETS
    const labels = ['app_id', 'method', 'path', 'status']
    const paths = new PathLabels({pathMatching: settings.pathMatching, isFull: settings.hasFullPaths})
    const verbLabel = (verb: string): string => (settings.hasVerbs ? (VERBS.has(verb) ? verb : 'UNKNOWN') : '')
    const values = (path: string, verb: string, status: string): string[] => [
      appId,
      verbLabel(verb),
      paths.label(path),
      status
    ]
    const counter = registry.counter.bind(registry)
    const histogram = registry.histogram.bind(registry)

    const bytes = (name: string, help: string): Family<Histogram> => histogram(name, help, ['app_id'], SIZE_BUCKETS)

    const requests = counter(
      'dapr_http_server_request_count',
      'Count of HTTP requests processed by the server.',
      labels
    )
    const responses = settings.hasFullPaths
      ? counter('dapr_http_server_response_count', 'The number of HTTP responses', labels)
      : undefined
    const served = histogram('dapr_http_server_latency', 'HTTP request end-to-end latency in server.', labels, latency)
    const requestBytes = bytes(
      'dapr_http_server_request_bytes',
      'HTTP request body size if set as ContentLength (uncompressed) in server.'
    )
    const responseBytes = bytes('dapr_http_server_response_bytes', 'HTTP response body size (uncompressed) in server.')
    this.#server = new SeriesCache((path, verb, status) => {
      const all = values(path, verb, status.toString())
      return {
        requests: requests.series(...all),
        responses: responses?.series(...all),
        latency: served.series(...all),
        requestBytes: requestBytes.series(appId),
        responseBytes: responseBytes.series(appId)
      }
    })

    const completed = counter('dapr_http_client_completed_count', 'Count of completed requests', labels)
    const roundtrip = histogram(
      'dapr_http_client_roundtrip_latency',
      'Time between first byte of request headers sent to last byte of response received, or terminal error',
      labels,
      latency
    )
    const sent = histogram(
      'dapr_http_client_sent_bytes',
      'Total bytes sent in request body (not including headers)',
      labels,
      SIZE_BUCKETS
    )
    const receivedBytes = bytes(
      'dapr_http_client_received_bytes',
      'Total bytes received in response bodies (not including headers but including error responses with bodies)'
    )
    this.#client = new SeriesCache((path, verb, status) => {
      const all = values(path, verb, status.toString())
      return {
        completed: completed.series(...all),
        latency: roundtrip.series(...all),
        sentBytes: sent.series(...values(path, verb, '')), // Dapr counts it before the status is known
        receivedBytes: receivedBytes.series(appId)
      }
    })

    const probes = counter('dapr_http_healthprobes_completed_count', 'Count of completed health probes', [
      'app_id',
      'status'
    ])
    const probed = histogram(
      'dapr_http_healthprobes_roundtrip_latency',
      'Time between first byte of health probes headers sent to last byte of response received, or terminal error',
      ['app_id', 'status'],
      latency
    )
    this.#probe = status => ({
      completed: probes.series(appId, status.toString()),
      latency: probed.series(appId, status.toString())
    })
  }

  /** The sidecar has responded to a request. */
  served({verb, path, status, requestBytes, responseBytes, elapsedMs}: HttpCall): void {
    const series = this.#server.get(path, verb, status)
    series.requests.value++
    if (series.responses !== undefined) series.responses.value++
    series.latency.observe(elapsedMs)
    series.requestBytes.observe(requestBytes)
    series.responseBytes.observe(responseBytes)
  }

  /** The app or an external endpoint has responded; without a response the status is 500, as in Dapr. */
  sent({verb, path, status, requestBytes, responseBytes, elapsedMs}: HttpCall): void {
    const series = this.#client.get(path, verb, status)
    series.completed.value++
    series.latency.observe(elapsedMs)
    series.sentBytes.observe(requestBytes)
    series.receivedBytes.observe(responseBytes)
  }

  /** A health check of the app has finished. */
  probed(status: number, elapsedMs: number): void {
    const {completed, latency} = this.#probe(status)
    completed.value++
    latency.observe(elapsedMs)
  }
}
