import t from 'tap'
import type {WorkSpan, WorkTraces} from '../../../../src/model/work-event.ts'
import {wallTime} from '../../../../src/platform/wall-time.ts'
import {activitySpanId} from '../../../../src/work/workflow/work-spans.ts'
import {
  answer,
  call,
  childOf,
  connected,
  done,
  end,
  openHouse,
  order,
  TestWorker,
  timer
} from '../../../rig/workflow-house.ts'

/** Traces with numbers in place of random digits. */
function countedTraces(): WorkTraces & {readonly spans: WorkSpan[]} {
  let count = 0
  const next = (length: number): string => (++count).toString().padStart(length, '0')
  const spans: WorkSpan[] = []
  return {
    spans,
    begin: parent => `00-${parent === '' ? next(32) : parent.slice(3, 35)}-${next(16)}-01`,
    ended: span => spans.push(span())
  }
}

const span = (number: number): string => number.toString().padStart(16, '0')
const CALLER = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`

t.test('a start, the workflow, its activities, timers and children are one trace', async t => {
  const house = await openHouse(t)
  const {workflows, clock} = house
  const traces = countedTraces()
  house.traces = traces
  const worker = connected(workflows)
  await workflows.start('shop', {...order(), trace: CALLER})
  t.match(worker.items[0]?.turn?.fresh[1]?.executionStarted, {
    parentTraceContext: {traceParent: `00-${'a'.repeat(32)}-${span(1)}-01`},
    workflowSpanId: {value: span(2)}
  })
  worker.items.length = 0
  const child = childOf('c')
  const timed = {id: 2, createTimer: timer({seconds: 1n, nanos: 0})}
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'charge'), {id: 1, createChild: child}, timed]))
  const activity = activitySpanId(workflows.find('shop', 'o-1') ?? {trace: undefined}, 0)
  const given = worker.items.map(item => item.activity?.parentTraceContext?.traceParent)
  t.ok(given.includes(`00-${'a'.repeat(32)}-${activity}-01`), 'the worker is told where the activity stands')
  await workflows.completeActivity('shop', done('o-1', 0))
  await workflows.completeTurn('shop', answer('c', [end()]))
  clock.pass(1000)
  await new Promise(resolve => setImmediate(resolve))
  await workflows.completeTurn('shop', answer('o-1', []))
  await workflows.completeTurn('shop', answer('o-1', [end(3)]))
  t.ok(traces.spans.every(({traceparent}) => traceparent.slice(3, 35) === 'a'.repeat(32)))
  t.match(
    traces.spans.map(({name, kind, traceparent, parentSpanId}) => [
      name,
      kind,
      traceparent.slice(36, 52),
      parentSpanId
    ]),
    [
      ['create_orchestration||order', 'client', span(1), 'b'.repeat(16)],
      ['activity||charge', 'server', activity, span(2)],
      ['orchestration||pay', 'server', span(3), span(2)],
      ['timer', 'internal', /^[0-9a-f]{16}$/, span(2)],
      ['orchestration||order', 'server', span(2), span(1)]
    ]
  )
  t.match(traces.spans[1]?.attributes, {
    'durabletask.type': 'activity',
    'durabletask.task.name': 'charge',
    'durabletask.task.task_id': '0',
    'durabletask.task.instance_id': 'o-1'
  })
  t.match(traces.spans[4]?.attributes, {'durabletask.type': 'orchestration', 'durabletask.runtime_status': 'FAILED'})
})

t.test('each round of one that continues as new is a trace of its own', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  const traces = countedTraces()
  house.traces = traces
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  const before = workflows.find('shop', 'o-1')?.trace
  await workflows.completeTurn('shop', answer('o-1', [end(2, '2')]))
  t.match(traces.spans.at(-1), {
    name: 'orchestration||order',
    traceparent: before,
    attributes: {'durabletask.runtime_status': 'CONTINUED_AS_NEW'}
  })
  const after = workflows.find('shop', 'o-1')?.trace
  t.match(after, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  t.not(after?.slice(3, 35), before?.slice(3, 35))
})

t.test('found by its trace; what is not traced tells nothing', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  const worker = connected(workflows)
  await workflows.start('shop', order('plain'))
  t.match(worker.items[0]?.turn?.fresh[1]?.executionStarted, {parentTraceContext: undefined, workflowSpanId: undefined})
  await workflows.completeTurn('shop', answer('plain', [call(0, 'charge')]))
  t.equal(worker.items[1]?.activity?.parentTraceContext, undefined)
  house.traces = countedTraces()
  await workflows.start('shop', {...order('traced'), trace: CALLER})
  t.strictSame(
    workflows.search({trace: 'a'.repeat(32)}, 10).map(({id}) => id),
    ['traced']
  )
  t.strictSame(workflows.search({trace: 'c'.repeat(32)}, 10), [])
})

t.test('what is below something else does not begin before it, in one millisecond neither', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  const traces = countedTraces()
  house.traces = traces
  connected(workflows)
  const before = wallTime.of(performance.now())
  await workflows.start('shop', {...order(), trace: CALLER})
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'charge')]))
  await workflows.completeActivity('shop', done('o-1', 0))
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  const starts = ['create', 'orch', 'act'].map(
    type => traces.spans.find(({name}) => name.startsWith(type))?.startedAt ?? NaN
  )
  t.equal(starts.length, 3)
  t.same(
    [before, ...starts],
    [before, ...starts].toSorted((a, b) => a - b)
  )
  t.ok((starts.at(-1) ?? 0) <= wallTime.of(performance.now()))
})

t.test('a rerun is a trace of its own, below nothing of the first run’s', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  const traces = countedTraces()
  house.traces = traces
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', {...order(), trace: CALLER})
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'charge')]))
  await workflows.completeActivity('shop', done('o-1', 0))
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  await workflows.rerun('shop', {id: 'o-1', eventId: 0, newId: 'again', input: undefined, newChildId: undefined})
  await workflows.completeActivity('shop', done('again', 0))
  await workflows.completeTurn('shop', answer('again', [end()]))
  const last = traces.spans.at(-1)
  t.match(last, {name: 'orchestration||order', parentSpanId: ''})
  t.not(last?.traceparent.slice(3, 35), 'a'.repeat(32))
})

t.test('a timer is found without all that came before', async t => {
  const house = await openHouse(t)
  const {workflows, clock} = house
  house.traces = countedTraces()
  workflows.connect('shop', {limit: Infinity, home: 'shop', send: () => undefined})
  await workflows.start('shop', order())
  const {user} = process.cpuUsage()
  for (let id = 0; id < 600; id++) {
    const createTimer = timer({seconds: BigInt(id + 1), nanos: 0})
    await workflows.completeTurn('shop', answer('o-1', [{id, createTimer}]))
    clock.pass(1000)
    await new Promise(resolve => setImmediate(resolve))
  }
  const seconds = (process.cpuUsage().user - user) / 1e6
  t.ok(seconds < 2, `${seconds} s of CPU: it was more than three when each timer read the whole history`)
})
