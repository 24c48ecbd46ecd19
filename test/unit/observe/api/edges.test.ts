import t from 'tap'
import type {Edge} from '../../../../src/model/api.generated.ts'
import {edgeViews, graphView} from '../../../../src/observe/api/edges.ts'
import type {AppPlan, Dependency} from '../../../../src/model/plan.ts'
import type {CallRecorder} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {LatencyHistogram} from '../../../../src/observe/telemetry/recorder/latency-histogram.ts'

const app = (id: string, channel: object, dependsOn: readonly Dependency[] = []): AppPlan =>
  ({id, channel: {port: 0, autoPort: false, ...channel}, dependsOn}) as unknown as AppPlan

t.test('a database without a port for calls, and a one-shot app, do not have to be called', async t => {
  const plans = [
    app('shop', {autoPort: true}, [
      {id: 'db', until: 'ready'},
      {id: 'migration', until: 'completed'},
      {id: 'stock', until: 'ready'}
    ]),
    app('db', {}),
    app('migration', {autoPort: true}),
    app('stock', {port: 3000})
  ]
  const all = ['db', 'migration', 'stock'].map(to => ({from: 'shop', to}))
  t.same(graphView([], plans).uncalled, [], 'what nobody calls is no service')
  t.same(graphView([], plans).awaited, all)
  const other = {from: 'web', to: 'stock'} as unknown as Edge
  t.same(graphView([other], plans).uncalled, [{from: 'shop', to: 'stock'}])
  t.same(graphView([other], plans).awaited, all.slice(0, 2))
})

t.test('calls are compared with dependsOn only if an app uses it', async t => {
  const call = {from: 'web', to: 'stock'} as unknown as Edge
  const plans = [app('web', {}), app('stock', {port: 3000})]
  t.equal(graphView([call], plans).edges[0]?.isDeclared, undefined)
  const other = app('shop', {}, [{id: 'stock', until: 'ready'}])
  t.equal(graphView([call], [...plans, other]).edges[0]?.isDeclared, false)
})

/** The percentiles of an edge with one call. */
function percentilesOf(ms: number): readonly number[] {
  const of = new LatencyHistogram()
  of.add(ms)
  const edge = {caller: 'a', callee: 'b', calls: 1, latency: of, recent: () => ({calls: 0, failed: 0, p95Ms: 0})}
  const [view] = edgeViews({edges: {all: [edge]}, publishers: {all: []}} as unknown as CallRecorder)
  return [view?.p50Ms ?? 0, view?.p95Ms ?? 0, view?.p99Ms ?? 0]
}

t.test('percentiles have two digits, and are never more than the longest time', async t => {
  t.same(percentilesOf(60_400), [60_000, 60_000, 60_000])
  t.same(percentilesOf(15.6), [15.6, 15.6, 15.6])
})
