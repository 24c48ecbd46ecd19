import type {MetricsSettings} from '../../../files/resources/metrics-settings.ts'
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

/** The labels of metrics of calls. */
const CALL_LABELS = ['app_id', 'method', 'path', 'status']

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

interface ProbeSeries {
  readonly completed: Counter
  readonly latency: Histogram
}

/** HTTP metrics of a sidecar's API, and of its calls to the app (Dapr: pkg/diagnostics/http_monitoring.go). */
export class HttpMetrics {
  readonly #server: SeriesCache<ServerSeries>
  readonly #client: SeriesCache<ClientSeries>
  readonly #probe: (status: number) => ProbeSeries

  constructor(registry: MetricsRegistry, appId: string, settings: MetricsSettings) {
    const families = new HttpFamilies(registry, appId, settings)
    this.#server = serverSeries(families, settings.hasFullPaths)
    this.#client = clientSeries(families)
    this.#probe = probeSeries(families)
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

/** Registers metrics with the labels that they share. */
class HttpFamilies {
  readonly appId: string
  readonly #registry: MetricsRegistry
  readonly #latencyBuckets: readonly number[]
  readonly #hasVerbs: boolean
  readonly #paths: PathLabels

  constructor(registry: MetricsRegistry, appId: string, settings: MetricsSettings) {
    this.#registry = registry
    this.appId = appId
    this.#latencyBuckets = settings.latencyBuckets ?? LATENCY_BUCKETS
    this.#hasVerbs = settings.hasVerbs
    this.#paths = new PathLabels({pathMatching: settings.pathMatching, isFull: settings.hasFullPaths})
  }

  /** The values of the labels of a call. */
  values(path: string, verb: string, status: string): readonly string[] {
    const verbLabel = this.#hasVerbs ? (VERBS.has(verb) ? verb : 'UNKNOWN') : ''
    return [this.appId, verbLabel, this.#paths.label(path), status]
  }

  counter(name: string, help: string, labels: readonly string[] = CALL_LABELS): Family<Counter> {
    return this.#registry.counter(name, help, labels)
  }

  latency(name: string, help: string, labels: readonly string[] = CALL_LABELS): Family<Histogram> {
    return this.#registry.histogram(name, help, labels, this.#latencyBuckets)
  }

  bytes(name: string, help: string, labels: readonly string[] = ['app_id']): Family<Histogram> {
    return this.#registry.histogram(name, help, labels, SIZE_BUCKETS)
  }
}

function serverSeries(families: HttpFamilies, hasFullPaths: boolean): SeriesCache<ServerSeries> {
  const {appId} = families
  const requests = families.counter('dapr_http_server_request_count', 'Count of HTTP requests processed by the server.')
  const responses = hasFullPaths
    ? families.counter('dapr_http_server_response_count', 'The number of HTTP responses')
    : undefined
  const latency = families.latency('dapr_http_server_latency', 'HTTP request end-to-end latency in server.')
  const requestBytes = families.bytes(
    'dapr_http_server_request_bytes',
    'HTTP request body size if set as ContentLength (uncompressed) in server.'
  )
  const responseBytes = families.bytes(
    'dapr_http_server_response_bytes',
    'HTTP response body size (uncompressed) in server.'
  )
  return new SeriesCache((path, verb, status) => {
    const all = families.values(path, verb, status.toString())
    return {
      requests: requests.series(...all),
      responses: responses?.series(...all),
      latency: latency.series(...all),
      requestBytes: requestBytes.series(appId),
      responseBytes: responseBytes.series(appId)
    }
  })
}

function clientSeries(families: HttpFamilies): SeriesCache<ClientSeries> {
  const completed = families.counter('dapr_http_client_completed_count', 'Count of completed requests')
  const latency = families.latency(
    'dapr_http_client_roundtrip_latency',
    'Time between first byte of request headers sent to last byte of response received, or terminal error'
  )
  const sentBytes = families.bytes(
    'dapr_http_client_sent_bytes',
    'Total bytes sent in request body (not including headers)',
    CALL_LABELS
  )
  const receivedBytes = families.bytes(
    'dapr_http_client_received_bytes',
    'Total bytes received in response bodies (not including headers but including error responses with bodies)'
  )
  return new SeriesCache((path, verb, status) => {
    const all = families.values(path, verb, status.toString())
    return {
      completed: completed.series(...all),
      latency: latency.series(...all),
      sentBytes: sentBytes.series(...families.values(path, verb, '')), // Dapr counts it before the status is known
      receivedBytes: receivedBytes.series(families.appId)
    }
  })
}

function probeSeries(families: HttpFamilies): (status: number) => ProbeSeries {
  const labels = ['app_id', 'status']
  const completed = families.counter(
    'dapr_http_healthprobes_completed_count',
    'Count of completed health probes',
    labels
  )
  const latency = families.latency(
    'dapr_http_healthprobes_roundtrip_latency',
    'Time between first byte of health probes headers sent to last byte of response received, or terminal error',
    labels
  )
  return status => ({
    completed: completed.series(families.appId, status.toString()),
    latency: latency.series(families.appId, status.toString())
  })
}
