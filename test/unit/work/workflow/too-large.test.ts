import {join} from 'node:path'
import t from 'tap'
import {answer, call, childOf, connected, done, end, openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'

t.test('what was too large goes on with the next worker, if more may be sent by then', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  const worker = new TestWorker()
  const leave = workflows.connect('small', worker)
  await workflows.start('small', {...order('much'), input: 'x'.repeat(4000)})
  await workflows.start('small', order('task'))
  const big = {...call(0, 'a').scheduleTask, input: {value: 'x'.repeat(4000)}} as never
  await workflows.completeTurn('small', answer('task', [{id: 0, scheduleTask: big}]))
  worker.items.length = 0
  leave()
  workflows.connect('small', worker)
  await workflows.quiet(0)
  t.strictSame(worker.seen(), [], 'not while as little may be sent')
  t.match([workflows.find('small', 'much'), workflows.find('small', 'task')], [{status: 8}, {status: 8}])
  house.maxBytes = () => Infinity
  workflows.connect('small', worker)
  await workflows.quiet(0)
  t.strictSame(worker.seen().toSorted(), ['a 0', 'much: | workflowStarted executionStarted'])
  await workflows.completeActivity('small', done('task', 0))
  t.match(worker.seen(), [/^task: .*taskCompleted$/])
  await workflows.completeTurn('small', answer('task', [end()]))
  t.match(workflows.find('small', 'task'), {status: 1, stall: undefined})
})

t.test('an activity that is too large keeps its workflow stalled, whatever else comes of that', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  const worker = connected(workflows)
  const leave = workflows.connect('small', worker)
  await workflows.start('shop', order())
  const big = {...call(0, 'a').scheduleTask, input: {value: 'x'.repeat(4000)}} as never
  const toSmall = {id: 0, scheduleTask: big, router: {sourceAppID: '', targetAppID: 'small'}}
  await workflows.completeTurn('shop', answer('o-1', [toSmall, call(1, 'send')]))
  t.match(workflows.find('shop', 'o-1'), {status: 8})
  await workflows.completeActivity('shop', done('o-1', 1))
  await workflows.completeTurn('shop', answer('o-1'))
  t.match(workflows.find('shop', 'o-1'), {status: 8}, 'it still waits for the one that nobody gets')
  house.maxBytes = () => Infinity
  leave()
  workflows.connect('small', worker)
  await workflows.quiet(0)
  await workflows.completeActivity('small', done('o-1', 0))
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  t.match(workflows.find('shop', 'o-1'), {status: 1, stall: undefined})
})

t.test('what an earlier run has left and is too large by now stalls a workflow that has a turn, too', async t => {
  const path = join(t.testdir(), 'work.db')
  const before = await openHouse(t, path)
  before.maxBytes = () => Infinity
  before.workflows.connect('shop', new TestWorker())
  await before.workflows.start('shop', order())
  const big = {...call(0, 'a').scheduleTask, input: {value: 'x'.repeat(4000)}} as never
  const router = {sourceAppID: '', targetAppID: 'small'}
  await before.workflows.completeTurn('shop', answer('o-1', [{id: 0, scheduleTask: big, router}]))
  await before.workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'go', input: undefined}})
  before.close()
  const {workflows, close} = await openHouse(t, path)
  const worker = connected(workflows)
  await workflows.quiet(0)
  t.match(workflows.find('shop', 'o-1'), {status: 8})
  t.match(worker.seen(), [/eventRaised$/])
  await workflows.completeTurn('shop', answer('o-1'))
  t.match(workflows.find('shop', 'o-1'), {status: 8}, 'it waits for what nobody gets')
  close()
})

t.test('a workflow that has ended is not stalled by an activity that is too large', async t => {
  const path = join(t.testdir(), 'work.db')
  const before = await openHouse(t, path)
  before.workflows.connect('shop', new TestWorker())
  before.workflows.connect('small', new TestWorker())
  const big = {...call(0, 'a').scheduleTask, input: {value: 'x'.repeat(4000)}} as never
  const toSmall = {id: 0, scheduleTask: big, router: {sourceAppID: '', targetAppID: 'small'}}
  await before.workflows.start('shop', order('parent'))
  await before.workflows.completeTurn('shop', answer('parent', [{id: 0, createChild: childOf('o-1')}]))
  await before.workflows.completeTurn('shop', answer('o-1', [toSmall, end()]))
  t.match(before.workflows.find('shop', 'o-1'), {status: 1, stall: undefined})
  const parent = before.workflows.find('shop', 'parent')
  await before.workflows.completeTurn('shop', answer('parent', [end()]))
  t.match(before.workflows.events(parent as never), [{}, {}, {childCreated: {}}, {}, {childCompleted: {}}, {}])
  before.close()
  t.match(before.said, [/^shop: activity of pay 'o-1': .* exceeds /])
  const {workflows, close, said} = await openHouse(t, path)
  for (let count = 0; count < 2; count++) {
    workflows.connect('small', new TestWorker())
    await workflows.quiet(0)
  }
  t.match(workflows.find('shop', 'o-1'), {status: 1, stall: undefined}, 'nor by the next run')
  t.strictSame(said, [], 'which does not say it again for each worker')
  close()
})
