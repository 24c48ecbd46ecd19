import t, {type Test} from 'tap'
import {encode} from '../../../../src/proxy/net/grpc/message-codec.ts'
import {FAILURE_DETAILS, timeOf, type Action} from '../../../../src/work/workflow/messages.ts'
import type {ReplayedTurn} from '../../../../src/work/workflow/replay.ts'
import {TERMINATED} from '../../../../src/work/workflow/status.ts'
import {WriteFault} from '../../../../src/work/work-file.ts'
import type {Workflows} from '../../../../src/work/workflow/workflows.ts'
import {
  answer,
  call,
  connected,
  done,
  end,
  type House,
  openHouse,
  order,
  TestWorker,
  timer
} from '../../../rig/workflow-house.ts'

interface Place extends House {
  readonly worker: TestWorker
  readonly leave: () => void
}

/** A workflow that has reserved and charged. */
async function withOrder(t: Test, app = 'shop'): Promise<Place> {
  const house = await openHouse(t)
  const {workflows} = house
  const worker = new TestWorker()
  const leave = workflows.connect(app, worker)
  await workflows.start(app, order())
  await workflows.completeTurn(app, answer('o-1', [call(1, 'reserve')]))
  await workflows.completeActivity(app, done('o-1', 1))
  await workflows.completeTurn(app, answer('o-1', [call(2, 'charge'), {id: 3, createTimer: timer(timeOf(5000))}]))
  worker.items.length = 0
  return {...house, worker, leave}
}

const instanceOf = (workflows: Workflows): NonNullable<ReturnType<Workflows['find']>> => {
  const instance = workflows.find('shop', 'o-1')
  if (instance === undefined) throw new Error('no o-1')
  return instance
}

/** What comes of a replayed turn that a worker answers so. */
async function replayed(
  {workflows, worker}: Place,
  turn: number,
  actions: readonly Partial<Action>[]
): Promise<ReplayedTurn> {
  const replay = workflows.replay(instanceOf(workflows), turn, new AbortController().signal)
  while (worker.items.length === 0) await new Promise(resolve => setImmediate(resolve))
  const [item] = worker.items
  await workflows.completeTurn('shop', answer('o-1', actions, item?.token))
  return replay
}

t.test('a turn comes as it was, and what it does changes nothing', async t => {
  const place = await withOrder(t)
  const {workflows, worker} = place
  const before = workflows.events(instanceOf(workflows))
  t.match(await replayed(place, 0, [call(1, 'reserve')]), {
    turn: 0,
    turns: 2,
    came: ['started'],
    did: ["activity 'reserve'"],
    difference: ''
  })
  t.strictSame(worker.seen(), ['o-1: | workflowStarted executionStarted'])
  const same = [{id: 3, createTimer: timer(timeOf(9000))}, call(2, 'charge')]
  t.match(await replayed(place, 1, same), {
    came: ['activity reserve done'],
    did: ["activity 'charge'", 'a timer'],
    difference: ''
  })
  t.strictSame(worker.seen(), ['o-1: workflowStarted executionStarted taskScheduled | workflowStarted taskCompleted'])
  t.strictSame(workflows.events(instanceOf(workflows)), before)
})

t.test('a turn that ended without a worker comes with what it began with', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  const worker = new TestWorker()
  const ended = end(TERMINATED, '"done"')
  const terminate = async (): Promise<void> =>
    void (await workflows.tell('shop', 'o-1', 'terminate', {
      executionTerminated: {input: {value: '"done"'}, recurse: true}
    }))
  await workflows.start('shop', order())
  await terminate()
  let leave = workflows.connect('shop', worker)
  t.match(await replayed({...house, worker, leave}, 0, [ended]), {came: ['started'], difference: ''})
  t.strictSame(worker.seen(), ['o-1: | workflowStarted executionStarted executionTerminated'])
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'reserve')], worker.items[0]?.token))
  leave()
  house.hasApp = () => false
  await terminate()
  leave = workflows.connect('shop', worker)
  worker.items.length = 0
  t.match(await replayed({...house, worker, leave}, 1, [ended]), {difference: ''})
  t.strictSame(worker.seen(), [
    'o-1: workflowStarted executionStarted taskScheduled | workflowStarted executionTerminated'
  ])
})

t.test('what is not as it was is told', async t => {
  const place = await withOrder(t)
  const {worker} = place
  const failed = encode(FAILURE_DETAILS, {
    errorType: 'NonDeterminismError',
    errorMessage: 'A previous execution called reserve with ID=1',
    stackTrace: undefined
  })
  const expensive = {...call(2, 'charge'), scheduleTask: {...call(2, 'charge').scheduleTask, input: {value: '7'}}}
  for (const [actions, difference] of [
    [[], "step 2 was activity 'charge'; the code does not do that any more"],
    [[call(2, 'pay')], "step 2 was activity 'charge'; the code has activity 'pay' there"],
    [[call(2, 'charge', 'bank')], "step 2 was activity 'charge'; the code has activity 'charge' in bank there"],
    [[expensive], "step 2 was activity 'charge'; the code gives it another input"],
    [[call(2, 'charge'), call(3, 'thank')], "step 3 was a timer; the code has activity 'thank' there"],
    [
      [call(2, 'charge'), {id: 3, createTimer: timer(timeOf(5000))}, end(1, '"paid"')],
      'the code has the end (completed): "paid" there, which is new'
    ],
    [[end(2)], "step 2 was activity 'charge'; the code does not do that any more"],
    [
      [{id: 9, complete: {...end(3).complete, failureDetails: failed}}],
      /^does not replay: step 1 was activity 'reserve' \(.*\); the code no longer calls it there/
    ]
  ] as const) {
    t.match(await replayed(place, 1, actions as readonly Partial<Action>[]), {difference})
    worker.items.length = 0
  }
})

t.test('meanwhile the instance has no other turn; it goes on then, also where nobody waits for the answer', async t => {
  const place = await withOrder(t)
  const {workflows, worker, leave} = place
  const left = new AbortController()
  const replay = workflows.replay(instanceOf(workflows), 0, left.signal)
  while (worker.items.length === 0) await new Promise(resolve => setImmediate(resolve))
  await t.rejects(workflows.replay(instanceOf(workflows), 0, left.signal), {message: /is replayed already/})
  await workflows.completeActivity('shop', done('o-1', 2))
  left.abort()
  await t.rejects(replay, {message: "turn 0 of workflow 'o-1' has got no answer"})
  worker.items.length = 0
  t.strictSame(worker.seen(), [], 'it may still be answered')
  // this worker tells no token
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'reserve')]))
  await workflows.settled()
  t.match(worker.seen(), [/\| workflowStarted taskCompleted$/], 'it was not taken for the answer to this one')
  await workflows.completeTurn('shop', answer('o-1'))

  const second = workflows.replay(instanceOf(workflows), 0, new AbortController().signal)
  while (worker.items.length === 0) await new Promise(resolve => setImmediate(resolve))
  leave()
  const next = connected(workflows)
  t.match(next.seen(), ['o-1: | workflowStarted executionStarted'], 'the next worker gets it')
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'reserve')]))
  t.match(await second, {difference: ''})
})

t.test('a turn in hand is answered first; who leaves before has asked for nothing', async t => {
  const {workflows} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'reserve')]))
  await workflows.completeActivity('shop', done('o-1', 1))
  worker.items.length = 0
  const left = new AbortController()
  const never = workflows.replay(instanceOf(workflows), 0, left.signal)
  left.abort()
  await t.rejects(never, {message: /has got no answer/})
  const replay = workflows.replay(instanceOf(workflows), 0, new AbortController().signal)
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(worker.seen(), [])
  await workflows.completeTurn('shop', answer('o-1', [call(2, 'charge')]))
  while (worker.items.length < 2) await new Promise(resolve => setImmediate(resolve))
  t.strictSame(worker.seen().toSorted(), ['charge 2', 'o-1: | workflowStarted executionStarted'])
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'reserve')]))
  t.match(await replay, {difference: '', turns: 2})
})

t.test('without a worker it waits for one; there is no turn that was not', async t => {
  const {workflows, leave} = await withOrder(t)
  const {signal} = new AbortController()
  await t.rejects(workflows.replay(instanceOf(workflows), 2, signal), {
    message: "workflow 'o-1' has no turn 2: it has had 2"
  })
  leave()
  const replay = workflows.replay(instanceOf(workflows), 0, signal)
  await new Promise(resolve => setImmediate(resolve))
  const worker = connected(workflows)
  while (worker.items.length === 0) await new Promise(resolve => setImmediate(resolve))
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'reserve')]))
  t.match(await replay, {difference: ''})
})

t.test('a replay that waits for a turn which continues as new tells of the turn that was asked for', async t => {
  const place = await withOrder(t)
  const {workflows, worker} = place
  await workflows.completeActivity('shop', done('o-1', 2))
  const [turn] = worker.items.splice(0)
  const replay = workflows.replay(instanceOf(workflows), 1, new AbortController().signal)
  for (let at = 0; at < 6; at++) await new Promise(resolve => setImmediate(resolve))
  await workflows.completeTurn('shop', answer('o-1', [end(2, '2')], turn?.token))
  while (worker.items.length === 0) await new Promise(resolve => setImmediate(resolve))
  const same = [call(2, 'charge'), {id: 3, createTimer: timer(timeOf(5000))}]
  await workflows.completeTurn('shop', answer('o-1', same, worker.items[0]?.token))
  t.match(await replay, {turn: 1, turns: 2, came: ['activity reserve done'], difference: ''})
})

t.test('a turn that is dropped in hand is answered before a replay of its instance is sent', async t => {
  const {workflows, worker} = await withOrder(t)
  await workflows.completeActivity('shop', done('o-1', 2))
  worker.items.length = 0
  const replay = workflows.replay(instanceOf(workflows), 0, new AbortController().signal)
  for (let at = 0; at < 6; at++) await new Promise(resolve => setImmediate(resolve))
  await workflows.purge('shop', 'o-1', {isRecursive: false, isForced: true})
  for (let at = 0; at < 6; at++) await new Promise(resolve => setImmediate(resolve))
  t.equal(worker.items.length, 0, 'without tokens its answer could not be distinguished from that to the turn')
  await workflows.completeTurn('shop', answer('o-1', [call(4, 'thank')]))
  t.match(worker.seen(), ['o-1: | workflowStarted executionStarted'])
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'reserve')]))
  t.match(await replay, {difference: ''})
  t.ok(await workflows.quiet(0))
})

t.test('a worker may answer the turn of an instance that is removed while it has a replay of the next one', async t => {
  const {workflows} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [], worker.items.splice(0)[0]?.token))
  await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'paid', input: undefined}})
  const [old] = worker.items.splice(0)
  await workflows.purge('shop', 'o-1', {isRecursive: false, isForced: true})
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [end(1)], worker.items.splice(0)[0]?.token))
  const replay = workflows.replay(instanceOf(workflows), 0, new AbortController().signal)
  while (worker.items.length === 0) await new Promise(resolve => setImmediate(resolve))
  await workflows.completeTurn('shop', answer('o-1', [], old?.token))
  await workflows.completeTurn('shop', answer('o-1', [end(1)], worker.items[0]?.token))
  t.match(await replay, {difference: ''})
  t.ok(await workflows.quiet(0), 'the worker has nothing in hand')
})

t.test('after a replay the instance goes on, also where the file is held by another program at its end', async t => {
  const place = await withOrder(t)
  const {workflows, worker, file, clock} = place
  const replay = workflows.replay(instanceOf(workflows), 0, new AbortController().signal)
  while (worker.items.length === 0) await new Promise(resolve => setImmediate(resolve))
  await workflows.completeActivity('shop', done('o-1', 2))
  worker.items.length = 0
  file.change = async () => Promise.reject(new WriteFault('another program holds it'))
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'reserve')]))
  await replay
  await new Promise(resolve => setImmediate(resolve))
  Reflect.deleteProperty(file, 'change')
  clock.pass(1000)
  await new Promise(resolve => setImmediate(resolve))
  await workflows.settled()
  t.match(worker.seen(), [/\| workflowStarted taskCompleted$/])
})

t.test('a replay comes though the worker that has the turn before leaves, and the file cannot be written', async t => {
  const {workflows, worker, leave, file} = await withOrder(t)
  await workflows.completeActivity('shop', done('o-1', 2))
  t.match(worker.seen(), [/taskCompleted$/])
  const replay = workflows.replay(instanceOf(workflows), 0, new AbortController().signal)
  await new Promise(resolve => setImmediate(resolve))
  file.database.exec('PRAGMA query_only = 1')
  const lost = t.rejects(workflows.start('shop', order('o-2')), {message: /cannot be written/})
  leave()
  await lost
  file.database.exec('PRAGMA query_only = 0')
  workflows.connect('shop', worker)
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
  const [item] = worker.items
  t.match(worker.seen(), ['o-1: | workflowStarted executionStarted'])
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'reserve')], item?.token))
  t.match(await replay, {turn: 0, difference: ''})
  await new Promise(resolve => setImmediate(resolve))
  t.match(worker.seen(), [/taskCompleted$/], 'then the turn comes again')
})
