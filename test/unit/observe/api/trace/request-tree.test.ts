import {mock} from 'node:test'
import t from 'tap'
import {listRequests} from '../../../../../src/observe/api/trace/list-requests.ts'
import {requestTree} from '../../../../../src/observe/api/trace/request-tree.ts'
import {RunLog} from '../../../../../src/observe/logging/run-log.ts'
import {Masking} from '../../../../../src/observe/telemetry/recorder/masking.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {wallTime} from '../../../../../src/platform/wall-time.ts'
import {CallJournal} from '../../../../../src/proxy/net/call-journal.ts'
import {answer, call, done, end, openHouse, order, TestWorker} from '../../../../rig/workflow-house.ts'
import {aCall, aRequest} from '../../../../rig/made-call.ts'

/** A call that was answered; times are those of `performance.now()`. */
function made(observer: CallRecorder, edge: string, path: string, [from, until]: [number, number]): void {
  const [caller = '', callee = ''] = edge.split(' ')
  const request = {...aRequest(), method: 'POST', path, lines: ''}
  const journal = new CallJournal(aCall({caller, callee, method: 'POST', path}), request, observer, undefined)
  journal.begun(from)
  journal.admitted(true, {pid: 0, protocol: 'HTTP/1.1'}, undefined)
  Object.assign(journal, {status: 200, firstByteAt: until, isWhole: true})
  journal.ended()
}

/** An app publishes an event with this id. */
const publish = (recorder: CallRecorder, way: string, event: string, startedAt: number, failure = ''): void => {
  const [app = '', component = '', operation = ''] = way.split(' ')
  const use = {app, block: 'pubsub', component, operation, startedAt, totalMs: 0.1, failure, event}
  recorder.used({...use, traceparent: ''})
}

/** The event of a topic is delivered to an app. */
function deliver(observer: CallRecorder, way: string, id: string, [from, until]: [number, number]): void {
  const [topic = '', callee = ''] = way.split(' ')
  const request = {...aRequest(), method: 'POST', path: '/on', lines: 'content-type: application/cloudevents+json\r\n'}
  const call = {caller: callee, from: topic, callee, method: 'POST', path: '/on', isOwn: true}
  const journal = new CallJournal(call, request, observer, undefined)
  journal.begun(from)
  journal.admitted(true, {pid: 0, protocol: 'HTTP/1.1'}, undefined)
  const body = Buffer.from(JSON.stringify({id, source: 'web', specversion: '1.0'}))
  observer.bytes(call, 'request', body, 0, body.length)
  Object.assign(journal, {status: 200, firstByteAt: until, isWhole: true})
  journal.ended()
}

const facts = (recorder: CallRecorder) => ({recorder, runLog: () => new RunLog(), masked: () => []})

t.test('a workflow is below the call that started it, its steps below it, below an activity its calls', async t => {
  const house = await openHouse(t)
  const {workflows, clock} = house
  const recorder = new CallRecorder(() => 100)
  // of now: a clock that is set back meanwhile dates what was before twice
  const from = performance.now()
  const until = (ms: number): void => clock.pass(Math.floor(wallTime.of(from + ms)) - clock.date())
  workflows.connect('shop', new TestWorker())
  made(recorder, 'web shop', '/orders', [from, from + 10])
  until(5)
  await workflows.start('shop', order('o-1'))
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'charge')]))
  workflows.byPerson.add((await workflows.start('shop', order('by-hand'))).key)
  made(recorder, 'shop bank', '/charge', [from + 20, from + 25])
  until(30)
  await workflows.completeActivity('shop', done('o-1', 0))
  await workflows.completeTurn('shop', answer('o-1', [end(3)]))
  for (const q of ['1', '2', 'workflow:o-1', 'workflow:shop/o-1']) {
    const {nodes, failedAt} = await requestTree({...facts(recorder), work: {openWorkflows: () => workflows}}, q)
    t.same(
      nodes.map(({depth, kind, from, to, what, link}) => [depth, kind, from, to, what, link?.reason]),
      [
        [0, 'call', 'web', 'shop', 'POST /orders', undefined],
        [1, 'workflow', 'shop', 'shop', 'workflow order o-1', 'only'],
        [2, 'activity', 'shop', 'shop', 'activity charge', 'history'],
        [3, 'call', 'shop', 'bank', 'POST /charge', 'only']
      ],
      q
    )
    t.match(nodes[1], {outcome: 'failed', isFailed: true, workflow: {app: 'shop', id: 'o-1', eventId: null}})
    t.equal(failedAt, nodes[1]?.id)
    t.match(nodes[2], {startMs: /^[45]/, totalMs: Number, workflow: {app: 'shop', id: 'o-1', eventId: 0}})
  }
  const byHand = await requestTree({...facts(recorder), work: {openWorkflows: () => workflows}}, 'workflow:by-hand')
  t.match(byHand.nodes, [{depth: 0, what: 'workflow order by-hand'}], 'the activity that was open has not started it')
  t.equal(byHand.nodes.length, 1)
  await t.rejects(requestTree({...facts(recorder), work: {openWorkflows: () => workflows}}, 'workflow:o-2'), {
    message: 'there is no workflow o-2'
  })
  house.close()
})

t.test('a call with an event is below the call it was made for, whatever the event names as source', async t => {
  const recorder = new CallRecorder(() => 1000)
  made(recorder, 'web shop', '/orders', [10, 20])
  const call = aCall({method: 'POST', path: '/on'})
  const request = {...aRequest(), method: 'POST', path: '/on', lines: 'content-type: application/cloudevents+json\r\n'}
  const journal = new CallJournal(call, request, recorder, undefined)
  journal.begun(12)
  journal.admitted(true, {pid: 0, protocol: 'HTTP/1.1'}, undefined)
  const body = Buffer.from(JSON.stringify({id: 'e-1', source: '/orders/7', specversion: '1.0'}))
  recorder.bytes(call, 'request', body, 0, body.length)
  Object.assign(journal, {status: 200, firstByteAt: 14, isWhole: true})
  journal.ended()
  const {nodes} = await requestTree({...facts(recorder), work: {openWorkflows: () => undefined}}, '1')
  t.same(
    nodes.map(({depth, what, link}) => [depth, what, link?.reason]),
    [
      [0, 'POST /orders', undefined],
      [1, 'POST /on', 'only']
    ]
  )
})

t.test('a request of five thousand calls is a few rows; what one of them made is shown', async t => {
  const recorder = new CallRecorder(() => 100)
  const journal = new CallJournal(
    aCall({caller: 'web', callee: 'shop', method: 'POST', path: '/all'}),
    {...aRequest(), method: 'POST', path: '/all', lines: ''},
    recorder,
    undefined
  )
  journal.begun(10)
  journal.admitted(true, {pid: 0, protocol: 'HTTP/1.1'}, undefined)
  for (let n = 0; n < 5000; n++) made(recorder, 'shop stock', `/items/${n}`, [11 + n / 10, 11.05 + n / 10])
  const tree = await requestTree({...facts(recorder), work: {openWorkflows: () => undefined}}, 'to:shop')
  t.equal(tree.nodes.length, 1 + 10 + 1)
  t.match(tree.nodes.at(-1), {count: 4990, what: 'POST /items/10', call: null, startMs: 2, leftOut: undefined})
  t.equal(tree.leftOut, 0)
  const one = await requestTree({...facts(recorder), work: {openWorkflows: () => undefined}}, '3000')
  t.ok(one.nodes.some(({id}) => id === 3000))
})

const rowsOf = async (recorder: CallRecorder, q: string) => {
  const {nodes} = await requestTree({...facts(recorder), work: {openWorkflows: () => undefined}}, q)
  return nodes.map(({depth, id, from, to, link}) => [depth, id, from, to, link?.reason])
}

t.test('an event that is forwarded under its own id is one line of calls, not a circle', async t => {
  const recorder = new CallRecorder(() => 1000)
  publish(recorder, 'web bus in', 'e-1', 1000)
  deliver(recorder, 'bus/in hub', 'e-1', [1001, 1010])
  publish(recorder, 'hub bus out', 'e-1', 1005)
  deliver(recorder, 'bus/out sink', 'e-1', [1006, 1007])
  for (const q of ['1', '2'])
    t.same(await rowsOf(recorder, q), [
      [0, -1, 'web', 'bus/in', undefined],
      [1, 1, 'bus/in', 'hub', 'event'],
      [2, -2, 'hub', 'bus/out', 'only'],
      [3, 2, 'bus/out', 'sink', 'event']
    ])
})

t.test('an id that comes again: each delivery stands below an event that was published before it', async t => {
  const recorder = new CallRecorder(() => 1000)
  for (const [at, call] of [
    [1000, 1],
    [2000, 3]
  ] as const) {
    made(recorder, 'curl web', '/do', [at, at + 5])
    publish(recorder, 'web bus in', 'fixed', at + 1)
    deliver(recorder, 'bus/in hub', 'fixed', [at + 2, at + 3])
    t.equal(recorder.last, call + 1)
  }
  t.same(await rowsOf(recorder, '2'), [
    [0, 1, 'curl', 'web', undefined],
    [1, -1, 'web', 'bus/in', 'only'],
    [2, 2, 'bus/in', 'hub', 'event']
  ])
  t.same(
    await rowsOf(recorder, '4'),
    [
      [0, 3, 'curl', 'web', undefined],
      [1, -2, 'web', 'bus/in', 'only'],
      [2, 4, 'bus/in', 'hub', 'guess']
    ],
    'it may be the first one, delivered once more'
  )
})

t.test('a dead letter stands below what was published to another topic', async t => {
  const recorder = new CallRecorder(() => 1000)
  publish(recorder, 'web bus in', 'e-1', 1000)
  deliver(recorder, 'bus/in hub', 'e-1', [1001, 1002])
  deliver(recorder, 'bus/dead hub', 'e-1', [1003, 1004])
  t.same(await rowsOf(recorder, '2'), [
    [0, -1, 'web', 'bus/in', undefined],
    [1, 1, 'bus/in', 'hub', 'event'],
    [1, 2, 'bus/dead', 'hub', 'event']
  ])
})

t.test('a publish that the broker did not take has its reason', async t => {
  const recorder = new CallRecorder(() => 100)
  const failure = 'connect ECONNREFUSED 127.0.0.1:6379'
  made(recorder, 'web shop', '/orders', [1000, 1010])
  publish(recorder, 'shop bus orders', 'e-1', 1005, failure)
  const {nodes} = await requestTree({...facts(recorder), work: {openWorkflows: () => undefined}}, '1')
  t.match(nodes.find(({what}) => what === 'publish') ?? {}, {outcome: 'failed', failure})
})

t.test('requests are listed with what was made for them; a filter finds one by any of its calls', async t => {
  const recorder = new CallRecorder(() => 100)
  const list = async (q = '', limit = 10): Promise<readonly (readonly unknown[])[]> => {
    const rows = await listRequests({...facts(recorder), work: {openWorkflows: () => undefined}}, q, limit)
    return rows.map(({number, path, calls, failedCalls}) => [number, path, calls, failedCalls])
  }
  t.same(await list(), [])
  const journal = new CallJournal(
    aCall({caller: 'web', callee: 'shop', method: 'POST', path: '/orders'}),
    {...aRequest(), method: 'POST', path: '/orders', lines: ''},
    recorder,
    undefined
  )
  journal.begun(10)
  journal.admitted(true, {pid: 0, protocol: 'HTTP/1.1'}, undefined)
  made(recorder, 'shop stock', '/reserve', [11, 12])
  made(recorder, 'shop bank', '/charge', [13, 14])
  Object.assign(journal, {status: 500, firstByteAt: 20, isWhole: true})
  journal.ended()
  made(recorder, 'web stock', '/items', [30, 31])
  t.same(await list(), [
    [4, '/items', 1, 0],
    [1, '/orders', 3, 1]
  ])
  t.same(await list('to:bank'), [[1, '/orders', 3, 1]])
  t.same(await list('', 1), [[4, '/items', 1, 0]])
  await t.rejects(list('colour:red'), /colour/)
})

t.test('what is secret in the failure of a component is masked', async t => {
  const recorder = new CallRecorder(() => 100)
  made(recorder, 'web shop', '/orders', [1000, 1010])
  publish(recorder, 'shop ps orders', 'e-1', 1005, 'POST https://broker/x?token=S3cr3t: refused')
  const {nodes} = await requestTree({...facts(recorder), work: {openWorkflows: () => undefined}}, '')
  t.match(JSON.parse(new Masking().json(nodes)), [
    {kind: 'call'},
    {kind: 'component', failure: 'POST https://broker/x?token=<masked, 7 characters> refused'}
  ])
})

t.test('what an app writes after the clock is set back is found, with the time of now', async t => {
  const recorder = new CallRecorder(() => 100)
  const runLog = new RunLog()
  const shop = runLog.writer('shop')
  shop.write('stdout', 'before\n', 1, 0)
  t.teardown(() => mock.timers.reset())
  const now = Date.now() - 3_600_000
  mock.timers.enable({apis: ['Date'], now})
  const from = performance.now()
  shop.write('stdout', 'paid\n', 1, 0)
  made(recorder, 'web shop', '/pay', [from, performance.now()])
  const {lines} = await requestTree(
    {...facts(recorder), runLog: () => runLog, work: {openWorkflows: () => undefined}},
    'to:shop'
  )
  t.match(lines, [{line: {line: 'paid', time: new Date(now).toISOString()}}])
  t.equal(lines.length, 1)
})

t.test('a call that was sent again is a request of its own, with the calls that were made for it', async t => {
  const recorder = new CallRecorder(() => 100)
  const replayed = (edge: string, path: string, times: [number, number]): void => {
    const replay = {caller: '', started: () => undefined}
    recorder.replays = {find: () => replay} as unknown as NonNullable<CallRecorder['replays']>
    made(recorder, edge, path, times)
    recorder.replays = undefined
  }
  const from = performance.now()
  made(recorder, 'web shop', '/orders', [from, from + 5])
  replayed('web shop', '/orders', [from + 10, from + 20])
  made(recorder, 'shop bank', '/charge', [from + 12, from + 15])
  made(recorder, 'web shop', '/orders', [from + 30, from + 60])
  replayed('web shop', '/orders', [from + 35, from + 50])
  made(recorder, 'shop bank', '/charge', [from + 40, from + 45])
  publish(recorder, 'shop bus orders', 'e-1', from + 70)
  deliver(recorder, 'bus/orders mail', 'e-1', [from + 71, from + 72])
  recorder.replays = {find: () => ({caller: 'mail', started: () => undefined})} as never
  deliver(recorder, 'bus/orders mail', 'e-1', [from + 80, from + 81])
  recorder.replays = undefined
  made(recorder, 'gate web', '/buy', [from + 90, from + 99])
  replayed('web shop', '/orders', [from + 91, from + 95])
  const rows = async (q: string) => {
    const {nodes} = await requestTree({...facts(recorder), work: {openWorkflows: () => undefined}}, q)
    return nodes.map(({id, depth, link}) => [id, depth, link?.reason])
  }
  t.same(await rows('1'), [[1, 0, undefined]])
  t.same(await rows('2'), [
    [2, 0, undefined],
    [3, 1, 'only']
  ])
  t.equal((await rows('6')).find(([id]) => id === 6)?.[2], 'guess', 'it was made for the replay, or for the other call')
  t.same(await rows('8'), [[8, 0, undefined]], 'it is not published again')
  t.same(await rows('10'), [[10, 0, undefined]], 'web did not make it for what it answers')
  const requests = await listRequests({...facts(recorder), work: {openWorkflows: () => undefined}}, 'is:replay', 10)
  t.same(
    requests.map(({number, calls}) => [number, calls]),
    [
      [10, 1],
      [8, 1],
      [5, 1],
      [2, 2]
    ]
  )
})
