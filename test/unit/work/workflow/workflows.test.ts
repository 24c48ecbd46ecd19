import {join} from 'node:path'
import t from 'tap'
import {failureOf} from '../../../../src/work/workflow/failure.ts'
import {PENDING, TERMINATED} from '../../../../src/work/workflow/status.ts'
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

t.test('a workflow of one activity', async t => {
  const {workflows} = await openHouse(t)
  const worker = connected(workflows)
  const instance = await workflows.start('shop', order())
  const over = workflows.until(instance, ({status}) => status === 1)
  t.strictSame(worker.seen(), ['o-1: | workflowStarted executionStarted'])
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'charge')]))
  t.strictSame(worker.seen(), ['charge 0'])
  await workflows.completeActivity('shop', done('o-1', 0))
  t.strictSame(worker.seen(), ['o-1: workflowStarted executionStarted taskScheduled | workflowStarted taskCompleted'])
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  t.match(await over, {status: 1, output: '"done"', turns: 2})
  t.strictSame(worker.seen(), [])
})

t.test('without a worker it waits; what a worker that leaves had in hand goes to the next one', async t => {
  const {workflows, met} = await openHouse(t)
  await workflows.start('shop', order())
  const first = new TestWorker()
  const leave = workflows.connect('shop', first)
  t.equal(first.seen().length, 1)
  leave()
  const second = connected(workflows)
  t.strictSame(second.seen(), ['o-1: | workflowStarted executionStarted'])
  t.equal(workflows.connected('shop'), 1)
  t.strictSame(met, ['shop'], 'the first worker of an app is told once')
})

t.test('a worker has no more in hand than it keeps', async t => {
  const {workflows} = await openHouse(t)
  const worker = new TestWorker(2)
  workflows.connect('shop', worker)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'a'), call(1, 'b'), call(2, 'c')]))
  t.strictSame(worker.seen().slice(1), ['a 0', 'b 1'])
  await workflows.completeActivity('shop', done('o-1', 1))
  t.strictSame(worker.seen(), ['c 2'], 'and the turn comes when there is room')
})

t.test('an answer to an earlier dispatch, or to nothing, is ignored', async t => {
  const {workflows, said} = await openHouse(t)
  const worker = new TestWorker()
  const leave = workflows.connect('shop', worker)
  await workflows.start('shop', order())
  const [{token: old} = {token: ''}] = worker.items.splice(0)
  leave()
  workflows.connect('shop', worker)
  await workflows.completeTurn('shop', answer('o-1', [end()], old))
  t.equal(workflows.find('shop', 'o-1')?.status, 6)
  await workflows.completeTurn('shop', answer('o-1', [end()], worker.items[0]?.token))
  t.equal(workflows.find('shop', 'o-1')?.status, 1)
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  await workflows.completeTurn('shop', answer('nobody', [end()]))
  await workflows.completeActivity('shop', done('o-1', 7))
  t.strictSame(said, [
    "shop: an answer to a turn of workflow 'o-1' is ignored: it is one to an earlier dispatch",
    "shop: an answer to a turn of workflow 'o-1' is ignored: it waits for none",
    "shop: an answer to a turn of workflow 'nobody' is ignored: it waits for none",
    "shop: an answer to the activity 7 of workflow 'o-1' is ignored: it has been answered, or is not known"
  ])
})

t.test('the next run goes on: turns and activities in hand come again, overdue timers fire', async t => {
  const path = join(t.testdir(), 'work.db')
  const {workflows, clock, close} = await openHouse(t, path)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order('turn'))
  await workflows.start('shop', order('task'))
  await workflows.completeTurn('shop', answer('task', [call(4, 'charge')]))
  await workflows.start('shop', order('timer'))
  await workflows.completeTurn('shop', answer('timer', [{id: 1, createTimer: timer({seconds: 60n, nanos: 0})}]))
  close()
  clock.pass(3_600_000)
  const next = await openHouse(t, path, {clock})
  const worker = connected(next.workflows)
  t.strictSame(worker.seen(), ['turn: | workflowStarted executionStarted', 'charge 4'])
  clock.pass(0)
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(worker.seen(), ['timer: workflowStarted executionStarted timerCreated | workflowStarted timerFired'])
  next.close()
})

t.test('what no worker has seen is terminated at once where none is there', async t => {
  const {workflows} = await openHouse(t)
  await workflows.start('shop', order())
  await workflows.tell('shop', 'o-1', 'terminate', {executionTerminated: {input: undefined, recurse: true}})
  t.match(workflows.find('shop', 'o-1'), {status: TERMINATED})
  const worker = connected(workflows)
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(worker.seen(), [], 'there is nothing left of it for a worker')
  await workflows.start('shop', order('o-2'))
  await workflows.tell('shop', 'o-2', 'terminate', {executionTerminated: {input: undefined, recurse: true}})
  t.match(workflows.find('shop', 'o-2'), {status: PENDING}, 'a worker that is there ends it')
})

t.test('a timer that waits with an event ends when that comes', async t => {
  const {workflows, clock} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [{id: 1, createTimer: timer({seconds: 1n, nanos: 0}, 'Go')}]))
  worker.items.length = 0
  await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'go', input: undefined}})
  await workflows.completeTurn('shop', answer('o-1'))
  t.match(worker.seen(), [/\| workflowStarted eventRaised$/])
  clock.pass(5000)
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(worker.seen(), [])
})

t.test('children, here and in another app; what became of them', async t => {
  const {workflows} = await openHouse(t)
  const [shop, bank] = [connected(workflows), connected(workflows, 'bank')]
  await workflows.start('shop', order())
  const child = childOf('c', 'pay', {value: '5'})
  await workflows.completeTurn(
    'shop',
    answer('o-1', [{id: 1, createChild: child, router: {sourceAppID: '', targetAppID: 'bank'}}])
  )
  t.match(bank.seen(), ['c: | workflowStarted executionStarted'])
  t.match(workflows.find('bank', 'c'), {input: '5', parent: {app: 'shop', id: 'o-1', task: 1}})
  shop.items.length = 0
  await workflows.completeTurn('bank', answer('c', [end(3)]))
  t.match(shop.seen(), [/\| workflowStarted childFailed$/])
  await workflows.start('bank', order('busy'))
  const taken = {id: 2, createChild: {...child, instanceId: 'busy'}, router: {sourceAppID: '', targetAppID: 'bank'}}
  await workflows.completeTurn('shop', answer('o-1', [taken]))
  t.match(shop.seen(), [/\| workflowStarted childFailed$/], 'an id that is taken')
})

t.test('continue as new: a fresh history; results of the old one do not count; a pause after twenty', async t => {
  const {workflows, clock} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'late')]))
  await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'x', input: undefined}})
  worker.items.length = 0
  const {execution} = workflows.find('shop', 'o-1') ?? {}
  await workflows.completeTurn('shop', answer('o-1', [end(2, '2')]))
  t.strictSame(worker.seen(), ['o-1: | workflowStarted executionStarted'])
  t.match(workflows.find('shop', 'o-1'), {input: '2', status: 0})
  t.not(workflows.find('shop', 'o-1')?.execution, execution)
  await workflows.completeActivity('shop', done('o-1', 0))
  t.strictSame(worker.seen(), [])
  for (let round = 0; round < 18; round++) await workflows.completeTurn('shop', answer('o-1', [end(2, '2')]))
  t.equal(worker.seen().length, 18)
  await workflows.completeTurn('shop', answer('o-1', [end(2, '2')]))
  t.strictSame(worker.seen(), [])
  clock.pass(1000)
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(worker.seen(), ['o-1: | workflowStarted executionStarted'])
})

t.test('one that starts later keeps what comes before; terminated it never starts', async t => {
  const {workflows, clock} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order('early', 1000))
  await workflows.start('shop', order('never', 1000))
  await workflows.tell('shop', 'early', 'event', {eventRaised: {name: 'x', input: undefined}})
  await workflows.tell('shop', 'never', 'terminate', {executionTerminated: {input: {value: '"no"'}, recurse: false}})
  t.strictSame(worker.seen(), [])
  t.match(workflows.find('shop', 'never'), {status: 5, output: '"no"'})
  clock.pass(1000)
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(worker.seen(), ['early: | workflowStarted executionStarted eventRaised'])
})

t.test('ids: an active one is not started again, one that is over is; only such are purged', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  await t.rejects(workflows.start('shop', order()), {message: "an active workflow with ID 'o-1' already exists"})
  const gently = {isRecursive: true, isForced: false}
  await t.rejects(workflows.purge('shop', 'o-1', gently), {message: 'orchestration has not yet completed'})
  await t.rejects(workflows.purge('shop', 'nobody', gently), {message: 'no such instance exists'})
  const child = childOf('c')
  await workflows.completeTurn('shop', answer('o-1', [{id: 1, createChild: child}, end()]))
  await workflows.completeTurn('shop', answer('c', [end()]))
  t.equal(await workflows.purge('shop', 'o-1', gently), 2)
  t.equal(workflows.find('shop', 'c'), undefined)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  await workflows.start('shop', order())
  t.equal(workflows.find('shop', 'o-1')?.status, 6)
  t.strictSame(
    workflows.list('shop', 0, 10).map(({id}) => id),
    ['o-1']
  )
})

const child = (instanceId: string): object => ({
  instanceId,
  name: 'again',
  version: undefined,
  scope: undefined,
  retryOf: undefined,
  input: undefined
})

t.test('an ID is free again when all below it is over: a child cannot start its parent anew', async t => {
  const {workflows} = await openHouse(t)
  const worker = connected(workflows)
  const refused = "cannot recreate workflow with ID 'o-1': child workflow 'd': orchestration has not yet completed"
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [{id: 1, createChild: child('c')} as never, end()]))
  await workflows.completeTurn('shop', answer('c', [{id: 1, createChild: child('d')} as never, end()]))
  await t.rejects(workflows.start('shop', order()), {message: refused})
  worker.items.length = 0
  await workflows.completeTurn('shop', answer('d', [{id: 1, createChild: child('o-1')} as never]))
  const [failed] = worker.items.flatMap(({turn}) => turn?.fresh ?? []).flatMap(({childFailed}) => childFailed ?? [])
  t.match(failed && failureOf(failed.failureDetails), {type: 'WorkflowInstanceAlreadyExists', message: refused})
  await workflows.completeTurn('shop', answer('d', [{id: 2, createChild: child('o-1')} as never, end()]))
  t.match(workflows.find('shop', 'o-1'), {status: 1, parent: undefined})
  await workflows.start('shop', order())
  t.match(workflows.find('shop', 'o-1'), {status: 6, parent: undefined})
  t.equal(await workflows.purge('shop', 'c', {isRecursive: true, isForced: true}), 2, 'the new one is not below it')
})

t.test('a rerun: the history up to a step; what has no result by then is done again', async t => {
  const {workflows, clock} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'a'), call(1, 'b')]))
  await workflows.completeActivity('shop', done('o-1', 0))
  const child = childOf('c', 'pay', {value: '5'})
  const timed = {id: 4, createTimer: timer({seconds: 1n, nanos: 0}, 'Go')}
  await workflows.completeTurn('shop', answer('o-1', [call(2, 'c'), {id: 3, createChild: child}, timed]))
  await workflows.completeActivity('shop', done('o-1', 2))
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  worker.items.length = 0
  const rerun = async (eventId: number, newId: string, more: object = {}): Promise<unknown> =>
    workflows.rerun('shop', {id: 'o-1', eventId, newId, input: undefined, newChildId: undefined, ...more})
  await rerun(2, 'again')
  t.strictSame(
    worker.seen().toSorted(),
    ['again:0003: | workflowStarted executionStarted', 'b 1', 'c 2'],
    'b had no result by then, nor the child'
  )
  t.match(workflows.find('shop', 'again'), {name: 'order', input: '1', status: 0, output: undefined})
  t.match(workflows.find('shop', 'again:0003'), {parent: {id: 'again', task: 3}})
  await workflows.completeActivity('shop', done('again', 2))
  t.strictSame(worker.seen(), [
    'again: workflowStarted executionStarted taskScheduled taskScheduled workflowStarted taskCompleted taskScheduled childCreated timerCreated | workflowStarted taskCompleted'
  ])
  await rerun(3, 'child', {newChildId: 'mine', input: {text: '6'}})
  t.match(workflows.find('shop', 'mine'), {input: '6', parent: {id: 'child', task: 3}})
  worker.items.length = 0
  clock.pass(1000)
  await new Promise(resolve => setImmediate(resolve))
  t.match(worker.seen(), [/^child: .*timerFired$/], 'a timer keeps its time; a turn waits for its answer')
  await rerun(0, 'first', {input: {text: '"x"'}})
  t.strictSame(worker.seen(), ['a 0', 'b 1'])
  for (const [eventId, newId, more, message] of [
    [77, 'n', {}, "does not have history event with ID '77'"],
    [99, 'n', {}, "target event 'executionCompleted' with ID '99' is not an event that can be rerun"],
    [0, 'again', {}, "workflow 'again' has already been created"],
    [0, 'o-1', {}, 'rerun workflow instance ID must be different from the original instance ID'],
    [0, 'n', {id: 'nobody'}, "workflow instance does not exist with ID 'nobody'"],
    [0, 'n', {id: 'again'}, "'again' is not in a terminal state"],
    [4, 'n', {input: {text: '1'}}, "cannot write input to timer event '4'"],
    [2, 'n', {newChildId: 'x'}, "cannot set new child workflow instance ID on activity event '2'"]
  ] as const)
    await t.rejects(rerun(eventId, newId, more), {message})
})

t.test('a process that is to end finishes what it has; the next one gets the rest', async t => {
  const {workflows} = await openHouse(t)
  const [old, other] = [new TestWorker(Infinity, 'shop'), new TestWorker(Infinity, 'shop.2')]
  const leave = workflows.connect('shop', old)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'a'), call(1, 'b')]))
  t.strictSame(old.seen().slice(1), ['a 0', 'b 1'])
  const retired = workflows.present('shop', 'shop')(new AbortController().signal)
  await workflows.completeActivity('shop', done('o-1', 0))
  t.strictSame(old.seen(), [], 'it gets no turn any more')
  const ending = new AbortController()
  const stopped = workflows.present('shop', 'shop')(ending.signal)
  ending.abort()
  t.equal(await stopped, false, 'its time is over')
  await workflows.completeActivity('shop', done('o-1', 1))
  t.equal(await workflows.present('shop', 'shop')(new AbortController().signal), true)
  leave()
  t.equal(await retired, true)
  workflows.connect('shop', other)
  t.match(other.seen(), [/taskCompleted taskCompleted$/])
})

t.test('a worker that outlives the process of its app gets work again', async t => {
  const {workflows} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.present('shop', 'shop')(new AbortController().signal)
  await workflows.start('shop', order())
  t.strictSame(worker.seen(), [], 'it may belong to the process that is to end')
  workflows.resume('shop', 'shop')
  t.match(worker.seen(), [/^o-1: .*executionStarted$/])
})

t.test('what waits for an app that is not there is named once, as is a worker that is silent', async t => {
  const {workflows, said, clock} = await openHouse(t)
  const worker = new TestWorker()
  const leave = workflows.connect('shop', worker)
  await workflows.start('shop', order())
  const child = childOf('c')
  const far = {sourceAppID: '', targetAppID: 'nowhere'}
  await workflows.completeTurn(
    'shop',
    answer('o-1', [call(0, 'a', 'nowhere'), call(1, 'a', 'nowhere'), {id: 2, createChild: child, router: far}])
  )
  t.strictSame(said.splice(0), [
    "shop: activity 'a' waits for app 'nowhere', which the template does not have",
    "shop: workflow 'pay' waits for app 'nowhere', which the template does not have"
  ])
  const later = connected(workflows, 'nowhere')
  await workflows.settled()
  t.equal(later.items.length, 3, 'and goes on when it is there')
  await workflows.completeTurn('nowhere', answer('c'))
  worker.items.length = 0
  await workflows.start('shop', order('o-2'))
  clock.pass(59_999)
  t.strictSame(said, [])
  clock.pass(60_001)
  t.match(said, [/^shop: workflow 'order' 'o-2': its worker has not answered a turn for a minute/])
  clock.pass(600_000)
  t.equal(said.length, 1)
  t.equal(worker.items.length, 1, 'it is not sent again')
  leave()
  workflows.connect('shop', new TestWorker())
  clock.pass(59_999)
  t.equal(said.length, 1)
  clock.pass(60_001)
  t.match(said.slice(1), [/^shop: workflow 'order' 'o-2': its worker has not/], 'but once more if it is silent again')
  workflows.close()
})

t.test('a detached workflow with a start time waits for it', async t => {
  const {workflows, clock} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  const createDetached = {
    instanceId: 'later',
    name: 'order',
    version: undefined,
    input: undefined,
    scheduledStart: {seconds: 3600n, nanos: 0},
    parentTraceContext: undefined
  }
  await workflows.completeTurn('shop', answer('o-1', [{id: 0, createDetached}, end()]))
  worker.seen()
  clock.pass(3_599_999)
  await workflows.settled()
  t.strictSame([worker.seen(), workflows.find('shop', 'later')?.status], [[], 6])
  clock.pass(1)
  await workflows.settled()
  t.strictSame(worker.seen(), ['later: | workflowStarted executionStarted'])
})

t.test('a timer in the year 9999, and one beyond all dates, wait; others of the instance go on', async t => {
  const {workflows, clock} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  const times = [253_402_300_799n, 2n ** 63n - 1n, -(2n ** 63n)].map(seconds => ({seconds, nanos: 999_999_999}))
  const timers = times.map((fireAt, id) => ({id, createTimer: timer(fireAt)}))
  await workflows.completeTurn('shop', answer('o-1', timers))
  worker.seen()
  clock.pass(20_000)
  await workflows.settled()
  t.match(worker.seen(), [/^o-1: .*\| workflowStarted timerFired$/], 'the one of long ago')
  const instance = workflows.find('shop', 'o-1')
  t.strictSame([...((instance && workflows.timers(instance)) ?? new Map<number, number>()).keys()], [0, 1])
})
