import type {AccessDecision} from '../../../model/call.ts'
import {type MetricsRegistry, SeriesCache} from './registry.ts'

type InvocationType = 'unary' | 'streaming'

/** A caller as its certificate would name it. */
export interface Caller {
  readonly appId: string
  readonly trustDomain: string
  readonly namespace: string
}

const UNKNOWN: Caller = {appId: '', trustDomain: '', namespace: ''}

/** Metrics of calls between sidecars (Dapr: pkg/diagnostics/service_monitoring.go). */
export class InvocationMetrics {
  readonly #callees: ReturnType<typeof calleeSeries>
  readonly #callers: ReturnType<typeof callerSeries>
  readonly #registry: MetricsRegistry

  constructor(registry: MetricsRegistry, appId: string) {
    this.#callees = calleeSeries(registry, appId)
    this.#callers = callerSeries(registry, appId)
    this.#registry = registry
  }

  /** Counts a response of another app's sidecar. `status`: of gRPC for gRPC calls, else of HTTP. */
  called(callee: string, status: number, elapsedMs: number, type: InvocationType): void {
    const series = this.#callees.get(callee, type, status)
    series.sent.value++
    series.received.value++
    series.latency?.observe(elapsedMs)
  }

  /** Counts a request of another app's sidecar and its response. */
  answered(caller: string, status: number): void {
    const series = this.#callers.get(caller, '', status)
    series.received.value++
    series.sent.value++
  }

  decided({by, isAllowed}: AccessDecision, {appId, trustDomain, namespace}: Caller = UNKNOWN): void {
    const family = this.#registry.counter(
      `dapr_runtime_acl_${by}_policy_action_${isAllowed ? 'allowed' : 'blocked'}_total`
    )
    family.series(appId, trustDomain, namespace).value++
  }
}

function calleeSeries(registry: MetricsRegistry, appId: string) {
  const sentRequests = registry.counter('dapr_runtime_service_invocation_req_sent_total')
  const receivedResponses = registry.counter('dapr_runtime_service_invocation_res_recv_total')
  const latency = registry.histogram('dapr_runtime_service_invocation_res_recv_latency_ms')
  return new SeriesCache((callee, type, status) => ({
    sent: sentRequests.series(appId, callee, type),
    received: receivedResponses.series(appId, callee, status.toString(), type),
    latency: type === 'unary' ? latency.series(appId, callee, status.toString()) : undefined
  }))
}

function callerSeries(registry: MetricsRegistry, appId: string) {
  const receivedRequests = registry.counter('dapr_runtime_service_invocation_req_recv_total')
  const sentResponses = registry.counter('dapr_runtime_service_invocation_res_sent_total')
  return new SeriesCache((caller, _type, status) => ({
    received: receivedRequests.series(appId, caller),
    sent: sentResponses.series(appId, caller, status.toString())
  }))
}
