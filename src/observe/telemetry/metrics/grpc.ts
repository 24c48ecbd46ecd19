import type {Counter, Histogram} from './family.ts'
import {type MetricsRegistry, SeriesCache} from './registry.ts'

/** A finished call of gRPC, from one side. */
export interface FinishedGrpcCall {
  /** The method with its service: `/pkg.Service/Method`. */
  readonly method: string
  /** The name of gRPC's status code. */
  readonly status: string
  readonly elapsedMs: number
  /** Sizes of the messages, if Dapr counts them for this call. */
  readonly bytes: {readonly request: number; readonly response: number} | undefined
}

interface CallSeries {
  readonly completed: Counter
  readonly latency: Histogram
  /** Created with the first call whose bytes are counted. */
  readonly bytes: () => {readonly request: Histogram; readonly response: Histogram}
}

/** Metrics of calls of gRPC, to a sidecar's API and from the sidecar to its app (Dapr: pkg/diagnostics/grpc_monitoring.go). */
export class GrpcMetrics {
  readonly #server: SeriesCache<CallSeries>
  readonly #client: SeriesCache<CallSeries>

  constructor(registry: MetricsRegistry, appId: string) {
    this.#server = new SeriesCache((method, status) => ({
      completed: registry.counter('dapr_grpc_io_server_completed_rpcs').series(appId, method, status),
      latency: registry.histogram('dapr_grpc_io_server_server_latency').series(appId, method, status),
      bytes: () => ({
        request: registry.histogram('dapr_grpc_io_server_received_bytes_per_rpc').series(appId, method),
        response: registry.histogram('dapr_grpc_io_server_sent_bytes_per_rpc').series(appId, method)
      })
    }))
    this.#client = new SeriesCache((method, status) => ({
      completed: registry.counter('dapr_grpc_io_client_completed_rpcs').series(appId, method, status),
      latency: registry.histogram('dapr_grpc_io_client_roundtrip_latency').series(appId, method, status),
      bytes: () => ({
        request: registry.histogram('dapr_grpc_io_client_sent_bytes_per_rpc').series(appId, method),
        response: registry.histogram('dapr_grpc_io_client_received_bytes_per_rpc').series(appId, method)
      })
    }))
  }

  served(call: FinishedGrpcCall): void {
    count(this.#server, call)
  }

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
