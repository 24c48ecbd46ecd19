import type {MetricsSettings} from '../../../files/resources/metrics-settings.ts'
import type {Counter, Histogram} from './family.ts'
import {LATENCY_BUCKETS, SIZE_BUCKETS, type MetricsRegistry} from './registry.ts'
import {SeriesCache} from './series-cache.ts'

/** One finished call of gRPC, from one side. */
export interface FinishedGrpcCall {
  /** With its service: `/pkg.Service/Method`. */
  readonly method: string
  /** The name of its code. */
  readonly status: string
  readonly elapsedMs: number
  /** Sizes of the messages; undefined: Dapr does not count those of this call. */
  readonly bytes: {readonly request: number; readonly response: number} | undefined
}

interface CallSeries {
  readonly completed: Counter
  readonly latency: Histogram
  /** Created with the first call whose bytes are counted. */
  readonly bytes: () => {readonly request: Histogram; readonly response: Histogram}
}

/** Metrics of calls of gRPC: those to a sidecar's API, and those of the sidecar to its app (Dapr: pkg/diagnostics/grpc_monitoring.go). */
export class GrpcMetrics {
  readonly #server: SeriesCache<CallSeries>
  readonly #client: SeriesCache<CallSeries>

  constructor(registry: MetricsRegistry, appId: string, {latencyBuckets = LATENCY_BUCKETS}: MetricsSettings) {
    const cacheOf = (
      side: 'server' | 'client',
      latencyName: string,
      helps: {readonly completed: string; readonly latency: string; readonly sent: string; readonly received: string}
    ): SeriesCache<CallSeries> => {
      const name = (rest: string): string => `dapr_grpc_io_${side}_${rest}`
      const labels = ['app_id', `grpc_${side}_method`, `grpc_${side}_status`]
      const completed = registry.counter(name('completed_rpcs'), helps.completed, labels)
      const latency = registry.histogram(name(latencyName), helps.latency, labels, latencyBuckets)
      const bytes = (which: 'sent' | 'received') =>
        registry.histogram(name(`${which}_bytes_per_rpc`), helps[which], labels.slice(0, 2), SIZE_BUCKETS)
      const [sent, received] = [bytes('sent'), bytes('received')]
      const isServer = side === 'server'
      return new SeriesCache((method, status) => ({
        completed: completed.series(appId, method, status),
        latency: latency.series(appId, method, status),
        bytes: () => ({
          request: (isServer ? received : sent).series(appId, method),
          response: (isServer ? sent : received).series(appId, method)
        })
      }))
    }
    this.#server = cacheOf('server', 'server_latency', {
      completed: 'Distribution of bytes sent per RPC, by method.',
      latency: 'Time between first byte of request received to last byte of response sent, or terminal error.',
      sent: 'Total bytes sent in across all response messages per RPC.',
      received: 'Total bytes received across all messages per RPC.'
    })
    this.#client = cacheOf('client', 'roundtrip_latency', {
      completed: 'Count of RPCs by method and status.',
      latency: 'Time between first byte of request sent to last byte of response received, or terminal error.',
      sent: 'Total bytes sent across all request messages per RPC.',
      received: 'Total bytes received across all response messages per RPC.'
    })
  }

  /** The sidecar has answered a call. */
  served(call: FinishedGrpcCall): void {
    count(this.#server, call)
  }

  /** The app has answered a call. */
  sent(call: FinishedGrpcCall): void {
    count(this.#client, call)
  }
}

function count(cache: SeriesCache<CallSeries>, {method, status, elapsedMs, bytes}: FinishedGrpcCall): void {
  const series = cache.get(method, status, 0)
  series.completed.value++
  series.latency.observe(elapsedMs)
  if (bytes === undefined) return
  const {request, response} = series.bytes()
  request.observe(bytes.request)
  response.observe(bytes.response)
}
