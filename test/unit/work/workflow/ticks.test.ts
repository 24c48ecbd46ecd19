import {join} from 'node:path'
import t from 'tap'
import {callHub} from '../../../../src/work/workflow/hub/hub.ts'
import {
  FOUND_INSTANCE,
  GET_INSTANCE,
  INSTANCE_ID,
  RAISE_EVENT,
  START_INSTANCE
} from '../../../../src/work/workflow/hub/hub-messages.ts'
import {eventOf, timeOf} from '../../../../src/work/workflow/messages.ts'
import {decode, encode} from '../../../../src/proxy/net/grpc/message-codec.ts'
import {answer, call, childOf, connected, done, end, openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'
import {keepIds} from './large-inputs.ts'

const GENTLY = {isRecursive: false, isForced: false}

t.test('of several starts of one id in one tick one wins; who is refused undoes nothing of the others', async t => {
  const {workflows} = await openHouse(t)
  const results = await Promise.allSettled([
    workflows.start('shop', order('one')),
    workflows.start('shop', order('one')),
    workflows.start('shop', order('two')),
    workflows.tell('shop', 'nobody', 'event', {eventRaised: {name: 'x', input: undefined}}),
    workflows.purge('shop', 'one', GENTLY)
  ])
  t.strictSame(
    results.map(({status}) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'rejected']
  )
  const worker = connected(workflows)
  t.match(worker.seen(), [/^one:/, /^two:/])
})

t.test('two answers to a turn in a tick: the first counts; an end, its purge and a new start in one tick', async t => {
  const {workflows, said} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  await Promise.all([
    workflows.completeTurn('shop', answer('o-1', [call(0, 'a')])),
    workflows.completeTurn('shop', answer('o-1', [end()]))
  ])
  t.strictSame(said, ["shop: an answer to a turn of workflow 'o-1' is ignored: it waits for none"])
  await Promise.all([
    workflows.completeActivity('shop', done('o-1', 0)),
    workflows.completeActivity('shop', done('o-1', 0))
  ])
  t.equal(said.length, 2)
  worker.items.length = 0
  const [, count] = await Promise.all([
    workflows.completeTurn('shop', answer('o-1', [end()])),
    workflows.purge('shop', 'o-1', GENTLY),
    workflows.start('shop', order())
  ])
  t.equal(count, 1)
  t.equal(workflows.find('shop', 'o-1')?.status, 6)
  t.match(worker.seen(), ['o-1: | workflowStarted executionStarted'])
})

t.test('what is told about an instance is kept already', async t => {
  const path = join(t.testdir(), 'work.db')
  const {workflows, file} = await openHouse(t, path)
  workflows.connect('shop', new TestWorker())
  const instance = await workflows.start('shop', order())
  const completed = workflows.completeTurn('shop', answer('o-1', [end()]))
  t.equal(file.isChanging, true)
  const caller = {app: 'shop', onGone: () => undefined, trace: ''}
  const get = encode(GET_INSTANCE, {instanceId: 'o-1'})
  for (const method of ['GetInstance', 'WaitForInstanceCompletion']) {
    const told = await callHub(workflows, method, get, caller)
    t.equal(file.isChanging, false, method)
    t.match(told instanceof Uint8Array && decode(FOUND_INSTANCE, told), {state: {status: 1}})
  }
  await completed
  await workflows.until(instance, ({status}) => status === 1)
})

t.test('an event is not taken for one that came too late, where the end is undone that it came behind', async t => {
  const {workflows, file} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  worker.items.length = 0
  const completed = workflows.completeTurn('shop', answer('o-1', [end()]))
  const raised = workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'paid', input: undefined}})
  file.database.exec('ROLLBACK')
  file.flush()
  await t.rejects(completed)
  await raised
  t.match(worker.seen(), ['o-1: | workflowStarted executionStarted eventRaised'])
})

t.test('who waits for an instance that is not there yet waits for its start', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  const get = encode(GET_INSTANCE, {instanceId: 'o-1'})
  const leaving: (() => void)[] = []
  const answers: string[] = []
  const wait = async (method: string, onGone: (listener: () => void) => void = () => undefined): Promise<void> => {
    const told = await callHub(workflows, method, get, {app: 'shop', onGone, trace: ''})
    answers.push(`${method}: ${told instanceof Uint8Array ? decode(FOUND_INSTANCE, told).state?.status : told.message}`)
  }
  const waiting = [wait('WaitForInstanceCompletion'), wait('WaitForInstanceStart')]
  void wait('WaitForInstanceStart', listener => leaving.push(listener))
  await workflows.settled()
  for (const leave of leaving) leave()
  await workflows.start('shop', order('another'))
  t.same(answers, [])
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  await Promise.all(waiting)
  t.same(answers.toSorted(), ['WaitForInstanceCompletion: 1', 'WaitForInstanceStart: 1'])
})

t.test('the history says which app has asked for an instance', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  const instance = await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  const started = workflows.events(instance).find(({executionStarted}) => executionStarted !== undefined)
  t.match(started?.router, {sourceAppID: 'shop', targetAppID: ''})
})

t.test('a start with a time does not wait for a worker, also if that time has passed', async t => {
  const {workflows, clock} = await openHouse(t)
  const caller = {app: 'shop', onGone: () => undefined, trace: ''}
  for (const [id, at] of [
    ['past', clock.date() - 3_600_000],
    ['now', clock.date()],
    ['later', clock.date() + 3_600_000]
  ] as const) {
    const start = encode(START_INSTANCE, {instanceId: id, name: 'order', scheduledStart: timeOf(at)})
    const answered = await callHub(workflows, 'StartInstance', start, caller)
    t.match(answered instanceof Uint8Array && decode(INSTANCE_ID, answered), {instanceId: id})
  }
})

t.test('a transaction that SQLite gives up undoes all of its tick; what was in hand comes again, once', async t => {
  const {workflows, file, clock} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order('old'))
  worker.items.length = 0
  const full = new Error('the disk is full')
  const results = await Promise.allSettled([
    workflows.completeTurn('shop', answer('old', [call(0, 'a')])),
    workflows.start('shop', order('new')),
    file.change(() => {
      file.database.exec('ROLLBACK')
      throw full
    })
  ])
  for (const result of results) t.match(result, {status: 'rejected', reason: full})
  t.equal(workflows.find('shop', 'new'), undefined)
  t.strictSame(worker.seen(), [], 'nothing is sent that was not kept')
  // meanwhile others go on
  await workflows.start('shop', order('other'))
  await workflows.completeTurn('shop', answer('other', [call(7, 'b')]))
  t.match(worker.seen(), [/^other:/, 'b 7'])
  clock.pass(1000)
  await workflows.settled()
  t.strictSame(worker.seen(), ['old: | workflowStarted executionStarted'], 'b is in hand already')
})

t.test('while the file cannot be written answers wait, and no activity runs twice; then all goes on', async t => {
  const {workflows, file, clock} = await openHouse(t)
  const worker = connected(workflows)
  const running = await workflows.start('shop', order('old'))
  await workflows.completeTurn('shop', answer('old', [call(0, 'charge'), call(1, 'other')]))
  await workflows.start('shop', order('turn'))
  const tokens = worker.items.splice(0).map(({token}) => token)
  const over = workflows.until(running, ({status}) => status === 1)
  file.database.exec('PRAGMA query_only = 1')
  const kept = [
    workflows.completeActivity('shop', done('old', 0, tokens[1])),
    workflows.completeTurn('shop', answer('turn', [end()], tokens[3]))
  ]
  for (let second = 0; second < 60; second++) {
    await t.rejects(workflows.start('shop', order(`no-${second}`)), {message: /cannot be written/})
    clock.pass(1000)
    await new Promise(setImmediate)
  }
  const names = (): readonly string[] => worker.seen().filter(each => !each.startsWith('turn: |'))
  t.strictSame(names(), [], 'a turn may come again, no activity does')
  file.database.exec('PRAGMA query_only = 0')
  for (let second = 0; second < 3; second++) {
    clock.pass(1000)
    await new Promise(setImmediate)
  }
  await Promise.all(kept)
  t.match(names(), [/^old: .*taskCompleted$/])
  await workflows.completeTurn('shop', answer('old', [end()]))
  await workflows.completeTurn('shop', answer('turn', [end()]))
  t.match(await over, {status: 1})
  t.equal(workflows.find('shop', 'turn')?.status, 1)
  await workflows.completeActivity('shop', done('old', 1, tokens[2]))
  t.strictSame(names(), [])
})

t.test('a change that fails half-way undoes what it has done in memory, too; others of the tick go on', async t => {
  const {workflows, file, clock} = await openHouse(t)
  const worker = connected(workflows)
  const instance = await workflows.start('shop', order('ends'))
  await workflows.start('shop', order('old'))
  await workflows.completeTurn('shop', answer('old', [call(0, 'charge')]))
  const over = workflows.until(instance, ({status}) => status === 1)
  worker.items.length = 0
  file.database.exec(
    "CREATE TEMP TRIGGER broken BEFORE INSERT ON inbox WHEN new.kind = 'result' BEGIN SELECT RAISE(ABORT, 'broken'); END"
  )
  const results = await Promise.allSettled([
    workflows.completeTurn('shop', answer('ends', [end()])),
    workflows.completeActivity('shop', done('old', 0)),
    workflows.start('shop', order('new'))
  ])
  t.strictSame(
    results.map(({status}) => status),
    ['fulfilled', 'rejected', 'fulfilled']
  )
  t.match(await over, {status: 1}, 'who waits for another one of the tick hears of it')
  t.strictSame(worker.seen(), ['new: | workflowStarted executionStarted'])
  file.database.exec('DROP TRIGGER broken')
  clock.pass(1000)
  await new Promise(setImmediate)
  t.strictSame(worker.seen(), [], 'the activity is still in hand')
  await workflows.completeActivity('shop', done('old', 0))
  t.match(worker.seen(), [/^old: .*taskCompleted$/])
})

t.test('an answer that holds something unreadable is refused alone', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  const broken = Buffer.from([0xff])
  const again = {id: 1, complete: {...end(2).complete, carryoverEvents: [broken]}} as never
  const results = await Promise.allSettled([
    workflows.start('shop', order('other')),
    workflows.completeTurn('shop', answer('o-1', [again])),
    workflows.completeActivity('shop', {...done('o-1', 1), failureDetails: broken})
  ])
  t.strictSame(
    results.map(({status}) => status),
    ['fulfilled', 'rejected', 'rejected']
  )
  await workflows.completeTurn('shop', answer('other', [end()]))
  t.equal(workflows.find('shop', 'other')?.status, 1)
  const failed = {id: 1, complete: {...end(3).complete, failureDetails: broken}} as never
  await workflows.start('shop', order('third'))
  await t.rejects(workflows.completeTurn('shop', answer('third', [failed])))
})

t.test('ids of 10,000 bytes and of every character', async t => keepIds(t, 20_000))

t.test('one that continues as new for ever leaves nothing behind', async t => {
  const {workflows, file, clock} = await openHouse(t)
  connected(workflows)
  await workflows.start('shop', order())
  const rows = (): readonly unknown[] =>
    ['instances', 'turns', 'inbox', 'activities', 'wake_ups'].map(
      table => file.database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count']
    )
  const carryoverEvents = [eventOf(0, {eventRaised: {name: 'x', input: undefined}})]
  const again = {complete: {status: 2, result: {value: '2'}, carryoverEvents, failureDetails: new Uint8Array(0)}}
  const continueAsNew = async (): Promise<void> => {
    await workflows.completeTurn('shop', answer('o-1', [call(1, 'charge')]))
    await workflows.completeTurn('shop', answer('o-1', [again]))
    clock.pass(1000)
    await workflows.settled()
  }
  for (let round = 0; round < 30; round++) await continueAsNew()
  const before = rows()
  for (let round = 0; round < 200; round++) await continueAsNew()
  t.strictSame(rows(), before)
})

t.test('one that starts itself: its task fails, whether it goes on or ends', async t => {
  const {workflows} = await openHouse(t)
  const worker = connected(workflows)
  const child = childOf('o-1', 'order')
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [{id: 1, createChild: child}]))
  t.match(worker.seen(), [/./, /childFailed$/])
  await workflows.completeTurn('shop', answer('o-1', [{id: 2, createChild: child}, end()]))
  t.match(workflows.find('shop', 'o-1'), {status: 1, turns: 2})
})

t.test('one that starts another one without an end is caught up with: all below it end with it', async t => {
  const {workflows, file} = await openHouse(t)
  const worker = connected(workflows)
  let born = 0
  const work = async (turns: number): Promise<number> => {
    for (let turn = 0; turn < turns; turn++) {
      const item = worker.items.shift()?.turn
      if (item === undefined) return turn
      const isEnd = item.fresh.some(({executionTerminated}) => executionTerminated)
      const next = childOf(`o-${++born + 1}`, 'order')
      await workflows.completeTurn('shop', answer(item.instanceId, [isEnd ? end(5) : {id: 1, createChild: next}]))
    }
    return turns
  }
  await workflows.start('shop', order())
  t.equal(await work(50), 50)
  await workflows.tell('shop', 'o-1', 'terminate', {executionTerminated: {input: undefined, recurse: true}})
  t.ok((await work(1000)) < 200, 'it has an end')
  const open = file.database.prepare('SELECT count(*) AS count FROM instances WHERE status <> 5').get()
  t.equal(open?.['count'], 0)
})

t.test('what no worker could take stalls, and is told; it may be terminated', async t => {
  const {workflows, said} = await openHouse(t)
  const worker = connected(workflows, 'small')
  await workflows.start('small', order('much'))
  const child = childOf('c')
  const there = {sourceAppID: '', targetAppID: 'shop'}
  await workflows.completeTurn('small', answer('much', [{id: 1, createChild: child, router: there}]))
  worker.items.length = 0
  const event = {eventRaised: {name: 'x', input: {value: 'x'.repeat(4000)}}}
  await workflows.tell('small', 'much', 'event', event)
  t.strictSame(worker.seen(), [])
  t.equal(workflows.find('small', 'much')?.status, 8)
  t.match(said, [
    /^small: workflow 'order' 'much' is stalled: Workflow payload size 4\d\d\d bytes exceeds 95% of max gRPC body size 4096 bytes; increase daprd --max-body-size/
  ])
  const caller = {app: 'small', onGone: () => undefined, trace: ''}
  const raise = encode(RAISE_EVENT, {instanceId: 'much', name: 'x'})
  t.match(await callHub(workflows, 'RaiseEvent', raise, caller), {code: 2, message: /'much': actor is stalled$/})
  await workflows.tell('small', 'much', 'terminate', {executionTerminated: {input: undefined, recurse: true}})
  t.match(workflows.find('small', 'much'), {status: 5, stall: undefined})
  t.match(workflows.find('shop', 'c'), {status: 5}, 'its child, which no worker has seen, ends with it')
  await workflows.start('small', order('task'))
  const big = {...call(0, 'a').scheduleTask, input: {value: 'x'.repeat(4000)}} as never
  await workflows.completeTurn('small', answer('task', [{id: 0, scheduleTask: big}]))
  t.equal(worker.items.length, 1, 'the turn, and no activity')
  t.equal(workflows.find('small', 'task')?.status, 8)
})

t.test('who waits for the end of a workflow hears of it, also if it is removed in the same instant', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  const first = await workflows.start('shop', order('o-1'))
  const second = await workflows.start('shop', order('o-2'))
  const over = [first, second].map(async each => workflows.until(each, ({status}) => status === 1))
  await new Promise(setImmediate)
  await Promise.all([
    workflows.completeTurn('shop', answer('o-1', [end()])),
    workflows.start('shop', order('o-1')),
    workflows.completeTurn('shop', answer('o-2', [end()])),
    workflows.purge('shop', 'o-2', {isRecursive: false, isForced: false})
  ])
  t.match(await Promise.all(over), [{status: 1}, {status: 1}])
  t.equal(workflows.find('shop', 'o-1')?.status, 6, 'the next one of that id')
})

t.test('an answer that waits until it can be written comes to nothing if its instance is purged meanwhile', async t => {
  const {workflows, file, clock} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  worker.items.length = 0
  file.database.exec('PRAGMA query_only = 1')
  const kept = workflows.completeTurn('shop', answer('o-1', [call(0, 'charge')]))
  await new Promise(setImmediate)
  file.database.exec('PRAGMA query_only = 0')
  await workflows.purge('shop', 'o-1', {isRecursive: false, isForced: true})
  clock.pass(1000)
  await kept
  t.strictSame(worker.seen(), [])
  t.equal(await workflows.quiet(0), true)
})
