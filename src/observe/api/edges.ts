import type * as Api from '../../model/api.generated.ts'
import type {CallRecorder} from '../telemetry/recorder/call-recorder.ts'
import type {LatencyHistogram} from '../telemetry/recorder/latency-histogram.ts'
import {RECENT_SECONDS, type RecentCalls} from '../telemetry/recorder/edges.ts'
import type {AppPlan} from '../../model/plan.ts'

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

/** Returns the recent calls for display. `seconds`: the covered time, which is shorter at the beginning of a run. The percentile has two digits. */
export const recentView = ({calls, failed, p95Ms}: RecentCalls): Api.Recent => ({
  seconds: Math.min(RECENT_SECONDS, Math.max(1, Math.round(performance.now() / 1000))),
  calls,
  failed,
  p95Ms: Number(p95Ms.toPrecision(2))
})

/** Returns a percentile in two digits, never more than the longest time. */
const roughly = (latency: LatencyHistogram, share: number): number =>
  Math.min(Number(latency.percentile(share).toPrecision(2)), latency.percentile(1))

/**
 * Returns the graph of a run. Calls are compared with `dependsOn` if an app uses it; calls of a sidecar to its own app need no declaration.
 * `asleep`: the ids of the apps that sleep.
 */
export function graphView(
  edges: readonly Api.Edge[],
  plans: readonly AppPlan[],
  asleep: readonly string[] = []
): Api.Graph {
  const declared = new Map<string, Set<string>>()
  for (const {id, dependsOn} of plans) {
    const ids = declared.get(id) ?? new Set()
    declared.set(id, ids)
    for (const dependency of dependsOn) ids.add(dependency.id)
  }
  const isUsed = plans.some(({dependsOn}) => dependsOn.length > 0)
  const views = edges.map(edge => {
    const isBetweenApps = declared.has(edge.from) && declared.has(edge.to) && edge.from !== edge.to
    return isUsed && isBetweenApps ? {...edge, isDeclared: declared.get(edge.from)?.has(edge.to) === true} : edge
  })
  const silent = [...declared].flatMap(([from, ids]) =>
    [...ids].filter(to => !edges.some(edge => edge.from === from && edge.to === to)).map(to => ({from, to}))
  )
  // an app without callers is a job, a database, or a server that is used without its sidecar: dependents wait for it
  const isCalled = (id: string): boolean => edges.some(edge => edge.to === id && edge.from !== id)
  const isMissed = ({from, to}: Pair): boolean => isCalled(to) && isForCalls(from, to, plans)
  return {
    apps: [...declared.keys()],
    asleep: [...new Set(asleep)],
    edges: views,
    uncalled: silent.filter(isMissed),
    awaited: silent.filter(pair => !isMissed(pair))
  }
}

type Pair = Api.Graph['uncalled'][number]

/** Whether a dependency may mean calls: not if `from` waits for the end of `to`, or if `to` has no port. */
function isForCalls(from: string, to: string, plans: readonly AppPlan[]): boolean {
  const isAwaited = ({id, dependsOn}: AppPlan): boolean =>
    id === from && dependsOn.some(each => each.id === to && each.until === 'completed')
  const isDeaf = ({id, channel}: AppPlan): boolean => id === to && channel.port === 0 && !channel.autoPort
  return !plans.some(plan => isAwaited(plan) || isDeaf(plan))
}
