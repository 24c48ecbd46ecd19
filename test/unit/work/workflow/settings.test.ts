import {setImmediate} from 'node:timers/promises'
import t from 'tap'
import type {WorkflowSettings} from '../../../../src/model/workflow-settings.ts'
import {failureOf} from '../../../../src/work/workflow/failure.ts'
import {COMPLETED, FAILED, TERMINATED} from '../../../../src/work/workflow/status.ts'
import {answer, call, childOf, connected, done, end, openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'

const limits = (all: number, byName: Readonly<Record<string, number>> = {}): WorkflowSettings['workflows'] => ({
  all,
  byName: new Map(Object.entries(byName))
})

const NONE = limits(Infinity)

const turn = (id: string): string => `${id}: | workflowStarted executionStarted`

t.test('no more turns of workflows are in hand than may be; the others come in order', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  house.settings = {workflows: limits(2), activities: NONE, retention: {}}
  const worker = connected(workflows)
  for (const id of ['a', 'b', 'c', 'd']) await workflows.start('shop', order(id))
  t.strictSame(worker.seen(), [turn('a'), turn('b')])
  await workflows.completeTurn('shop', answer('b', [end()]))
  t.strictSame(worker.seen(), [turn('c')])
  t.equal(await workflows.purge('shop', 'd', {isRecursive: false, isForced: true}), 1)
  await workflows.start('shop', order('e'))
  await workflows.completeTurn('shop', answer('a', [end()]))
  t.strictSame(worker.seen(), [turn('e')], 'one that waits can be removed')
})

t.test('a start that no worker has taken ends without one: Java’s SDK never answers code that is over', async t => {
  const house = await openHouse(t)
  house.settings = {workflows: limits(1), activities: NONE, retention: {}}
  const worker = connected(house.workflows)
  for (const id of ['o-1', 'o-2']) await house.workflows.start('shop', order(id))
  await house.workflows.tell('shop', 'o-2', 'terminate', {executionTerminated: {input: undefined, recurse: false}})
  t.match(house.workflows.find('shop', 'o-2'), {status: TERMINATED})
  t.strictSame(worker.seen(), [turn('o-1')])
})

t.test('activities: all together, and those of a name', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  house.settings = {workflows: NONE, activities: limits(3, {charge: 1}), retention: {}}
  const worker = new TestWorker()
  const leave = workflows.connect('shop', worker)
  await workflows.start('shop', order())
  const names = ['charge', 'charge', 'send', 'charge', 'send', 'send']
  await workflows.completeTurn(
    'shop',
    answer(
      'o-1',
      names.map((name, id) => call(id, name))
    )
  )
  const activities = (): readonly string[] => worker.seen().filter(seen => !seen.startsWith('o-1:'))
  t.strictSame(activities(), ['charge 0', 'send 2', 'send 4'])
  await workflows.completeActivity('shop', done('o-1', 2))
  t.strictSame(activities(), ['send 5'], 'a charge has to wait for the one in hand')
  await workflows.completeActivity('shop', done('o-1', 0))
  t.strictSame(activities(), ['charge 1'])
  leave()
  workflows.connect('shop', worker)
  t.strictSame(activities().toSorted(), ['charge 3', 'send 4', 'send 5'], 'what a worker had waits behind the others')
})

t.test('a limit that is lifted lets go what it held, with the next thing that happens', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  house.settings = {workflows: limits(Infinity, {order: 1}), activities: NONE, retention: {}}
  const worker = connected(workflows)
  for (const id of ['a', 'b', 'c']) await workflows.start('shop', order(id))
  t.equal(worker.seen().length, 1)
  house.settings = {workflows: NONE, activities: NONE, retention: {}}
  workflows.mayTakeMore()
  t.equal(worker.seen().length, 2)
})

t.test('what is over is removed after the time of its policy; one of the same id that began later is not', async t => {
  const house = await openHouse(t)
  const {workflows, clock} = house
  house.settings = {workflows: NONE, activities: NONE, retention: {anyTerminal: 9000, completed: 5000}}
  workflows.connect('shop', new TestWorker())
  const pass = async (ms: number): Promise<string> => {
    clock.pass(ms)
    await setImmediate()
    return ['good', 'bad', 'again'].filter(id => workflows.find('shop', id) !== undefined).join(' ')
  }
  for (const [id, status] of Object.entries({good: COMPLETED, bad: FAILED, again: COMPLETED})) {
    await workflows.start('shop', order(id))
    await workflows.completeTurn('shop', answer(id, [end(status)]))
  }
  await workflows.start('shop', order('again'))
  t.equal(await pass(4999), 'good bad again')
  t.equal(await pass(1), 'bad again')
  t.equal(await pass(4000), 'again')
  await workflows.tell('shop', 'again', 'terminate', {executionTerminated: {input: undefined, recurse: false}})
  await workflows.completeTurn('shop', answer('again', [end(5)]))
  t.equal(await pass(9000), '')
})

t.test('what a policy of another app denies fails at once, and is told there; an app may ask itself', async t => {
  const house = await openHouse(t)
  const {workflows, said} = house
  house.isAllowed = (app, {caller, operation}) => app === caller || operation === 'get'
  const [shop, bank] = [new TestWorker(), new TestWorker(Infinity, 'bank')]
  workflows.connect('shop', shop)
  workflows.connect('bank', bank)
  await workflows.start('shop', order())
  await workflows.start('bank', order('b-1'))
  bank.items.length = 0
  const router = {sourceAppID: '', targetAppID: 'bank'}
  const child = childOf('c')
  const sendEvent = {instance: {instanceId: 'b-1', executionId: undefined}, name: 'go', data: undefined}
  await workflows.completeTurn(
    'shop',
    answer('o-1', [
      call(0, 'charge', 'bank'),
      call(1, 'own'),
      {id: 2, createChild: child, router},
      {id: 3, createDetached: {...child, scheduledStart: undefined, parentTraceContext: undefined}, router},
      {id: 4, sendEvent, router}
    ])
  )
  t.strictSame(bank.seen(), [])
  const instance = workflows.find('shop', 'o-1')
  t.ok(instance && workflows.find('bank', 'c') === undefined)
  t.match(shop.seen().slice(1), [/\| workflowStarted taskFailed childFailed$/, 'own 1'])
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  const failures = (instance === undefined ? [] : workflows.events(instance))
    .flatMap(({taskFailed, childFailed}) => taskFailed ?? childFailed ?? [])
    .map(({taskScheduledId, failureDetails}) => [taskScheduledId, failureOf(failureDetails)])
  const denied = {type: 'WorkflowAccessPolicyDenied', message: 'access denied by workflow access policy', stack: ''}
  t.strictSame(failures, [
    [0, denied],
    [2, denied]
  ])
  t.strictSame(said.toSorted(), [
    "bank: workflow access policy denied app 'shop' operation 'raise' on workflow 'order'",
    "bank: workflow access policy denied app 'shop' operation 'schedule' on activity 'charge'",
    "bank: workflow access policy denied app 'shop' operation 'schedule' on workflow 'pay'",
    "bank: workflow access policy denied app 'shop' operation 'schedule' on workflow 'pay'"
  ])
})

t.test('an answer looks at none of the hundreds that the limit of their name holds', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  const settings = {workflows: NONE, activities: limits(Infinity, {charge: 1}), retention: {}}
  let looks = 0
  Object.defineProperty(house, 'settings', {get: () => (looks++, settings)})
  const worker = connected(workflows)
  await workflows.start('shop', order())
  const calls = Array.from({length: 500}, (_, id) => call(id, id % 2 === 0 ? 'charge' : 'send'))
  await workflows.completeTurn('shop', answer('o-1', calls))
  t.equal(worker.seen().filter(seen => seen.startsWith('send')).length, 250, 'others pass them')
  looks = 0
  for (const id of [0, 2, 4]) {
    await workflows.completeActivity('shop', done('o-1', id))
    t.match(worker.seen(), [`charge ${id + 2}`])
  }
  t.ok(looks < 100, `${looks} looks`)
})
