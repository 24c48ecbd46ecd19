import type * as Api from '../../model/api.generated.ts'
import type {CallRecorder} from '../telemetry/recorder/call-recorder.ts'
import type {LatencyHistogram} from '../telemetry/recorder/latency-histogram.ts'
import {RECENT_SECONDS, type RecentCalls} from '../telemetry/recorder/edges.ts'

/** Returns all edges, the busiest first: callers and callees, publishers and topics. */
export const edgeViews = ({edges, publishers}: CallRecorder): readonly Api.Edge[] =>
  [...edges.all, ...publishers.all]
    .filter(({calls}) => calls > 0)
    .toSorted((a, b) => b.calls - a.calls)
    .map(edge => ({
      from: edge.caller,
      to: edge.callee,
      calls: edge.calls,
      failed: edge.failed,
      waited: edge.waited,
      requestBytes: edge.requestBytes,
      responseBytes: edge.responseBytes,
      p50Ms: roughly(edge.latency, 0.5),
      p95Ms: roughly(edge.latency, 0.95),
      p99Ms: roughly(edge.latency, 0.99),
      ...(edge.promptTokens + edge.completionTokens > 0 && {
        tokens: {prompt: edge.promptTokens, completion: edge.completionTokens}
      }),
      recent: recentView(edge.recent(performance.now()))
    }))

/** `seconds`: of a run that began later, since its start. The percentile has two digits. */
export const recentView = ({calls, failed, p95Ms}: RecentCalls): Api.Recent => ({
  seconds: Math.min(RECENT_SECONDS, Math.max(1, Math.round(performance.now() / 1000))),
  calls,
  failed,
  p95Ms: Number(p95Ms.toPrecision(2))
})

/** A percentile in two digits, never more than the longest time. */
const roughly = (latency: LatencyHistogram, share: number): number =>
  Math.min(Number(latency.percentile(share).toPrecision(2)), latency.percentile(1))
