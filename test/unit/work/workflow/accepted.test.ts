import {mock} from 'node:test'
import t, {type Test} from 'tap'
import {encode} from '../../../../src/proxy/net/grpc/message-codec.ts'
import {LiveInstances} from '../../../../src/work/workflow/live-instances.ts'
import {eventOf, FAILURE_DETAILS} from '../../../../src/work/workflow/messages.ts'
import {COMPLETED, CONTINUED_AS_NEW, FAILED, SUSPENDED, TERMINATED} from '../../../../src/work/workflow/status.ts'
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
  type House
} from '../../../rig/workflow-house.ts'

/* What was accepted takes effect, whatever a worker makes of the turn in which it comes. */

const terminated = (recurse: boolean): object => ({executionTerminated: {input: {value: '"off"'}, recurse}})
const suspended = {executionSuspended: {input: undefined}}

/** A house with the workflow `o-1`, whose only worker has left after its answer to the first turn. */
async function leftBy(t: Test, actions?: Parameters<typeof answer>[1]): Promise<House> {
  const house = await openHouse(t)
  const leave = house.workflows.connect('shop', new TestWorker())
  await house.workflows.start('shop', order())
  await house.workflows.completeTurn('shop', answer('o-1', actions))
  leave()
  return house
}

t.test('a suspension that comes with the last result of a round holds the next round', async t => {
  const {workflows} = await leftBy(t, [call(0, 'charge')])
  await workflows.completeActivity('shop', done('o-1', 0))
  await workflows.tell('shop', 'o-1', 'suspend', suspended)
  const worker = connected(workflows)
  t.match(worker.seen(), [/\| workflowStarted taskCompleted$/])
  await workflows.completeTurn('shop', answer('o-1', [end(CONTINUED_AS_NEW, '2')]))
  t.strictSame(worker.seen(), ['o-1: | workflowStarted executionStarted'])
  await workflows.completeTurn('shop', answer('o-1'))
  t.match(worker.seen(), [/\| workflowStarted executionSuspended$/])
  await workflows.completeTurn('shop', answer('o-1'))
  t.match(workflows.find('shop', 'o-1'), {status: SUSPENDED, input: '2'})
  await workflows.tell('shop', 'o-1', 'resume', {executionResumed: {input: undefined}})
  t.match(worker.seen(), [/\| workflowStarted executionResumed$/])
})

t.test('the suspension comes before the events that the next round begins with', async t => {
  const {workflows} = await leftBy(t)
  for (const name of ['one', 'two'])
    await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name, input: undefined}})
  await workflows.tell('shop', 'o-1', 'suspend', suspended)
  const worker = connected(workflows)
  worker.seen()
  // each round hears one event
  const carryoverEvents = [eventOf(0, {eventRaised: {name: 'two', input: undefined}})]
  const again = {status: CONTINUED_AS_NEW, result: {value: '2'}, carryoverEvents, failureDetails: new Uint8Array(0)}
  await workflows.completeTurn('shop', answer('o-1', [{id: 1, complete: again}]))
  t.strictSame(worker.seen(), ['o-1: | workflowStarted executionStarted'])
  await workflows.completeTurn('shop', answer('o-1'))
  t.match(worker.seen(), [/\| workflowStarted executionSuspended eventRaised$/])
})

t.test('a suspension begins a turn: SDKs would repeat what came before it, and keep events behind it', async t => {
  const {workflows} = await leftBy(t)
  const raise = async (name: string): Promise<unknown> =>
    workflows.tell('shop', 'o-1', 'event', {eventRaised: {name, input: undefined}})
  await raise('one')
  await workflows.tell('shop', 'o-1', 'suspend', suspended)
  await raise('two')
  await workflows.tell('shop', 'o-1', 'resume', {executionResumed: {input: undefined}})
  await raise('three')
  await workflows.tell('shop', 'o-1', 'suspend', suspended)
  const worker = connected(workflows)
  t.match(worker.seen(), [/\| workflowStarted eventRaised$/])
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'charge')]))
  t.match(worker.seen(), [
    'charge 1',
    /taskScheduled \| workflowStarted executionSuspended eventRaised executionResumed eventRaised$/
  ])
  await workflows.completeTurn('shop', answer('o-1', [end(CONTINUED_AS_NEW, '2')]))
  t.strictSame(worker.seen(), ['o-1: | workflowStarted executionStarted'])
  await workflows.completeTurn('shop', answer('o-1'))
  t.match(worker.seen(), [/\| workflowStarted executionSuspended$/])
})

t.test('a termination has a turn of its own: Java’s SDK answers none behind ended code, or before more', async t => {
  const {workflows} = await leftBy(t, [call(0, 'charge')])
  await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'one', input: undefined}})
  await workflows.tell('shop', 'o-1', 'terminate', terminated(false))
  await workflows.completeActivity('shop', done('o-1', 0))
  await workflows.tell('shop', 'o-1', 'terminate', terminated(true))
  const worker = connected(workflows)
  t.match(worker.seen(), [/\| workflowStarted executionTerminated$/])
  await workflows.completeTurn('shop', answer('o-1', [end(TERMINATED)]))
  t.match(workflows.find('shop', 'o-1'), {status: TERMINATED})
  t.strictSame(worker.seen(), [], 'what is left ends with it')
})

t.test('a start whose worker has left comes again without the termination that waits', async t => {
  const {workflows} = await openHouse(t)
  const leave = workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  await workflows.tell('shop', 'o-1', 'terminate', terminated(true))
  leave()
  const worker = connected(workflows)
  t.strictSame(worker.seen(), ['o-1: | workflowStarted executionStarted'])
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'charge')]))
  t.match(worker.seen(), ['charge 0', /\| workflowStarted executionTerminated$/])
  await workflows.completeTurn('shop', answer('o-1', [end(TERMINATED)]))
  t.match(workflows.find('shop', 'o-1'), {status: TERMINATED})
})

t.test('one that is suspended before its start time has its start first, and keeps what came before', async t => {
  const {workflows, clock} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order('o-1', clock.date() + 1000))
  await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'one', input: undefined}})
  await workflows.tell('shop', 'o-1', 'suspend', suspended)
  await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'two', input: undefined}})
  clock.pass(1000)
  await workflows.settled()
  t.strictSame(worker.seen(), ['o-1: | workflowStarted executionStarted eventRaised'])
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'charge')]))
  t.match(worker.seen(), ['charge 1', /taskScheduled \| workflowStarted executionSuspended eventRaised$/])
  await workflows.completeTurn('shop', answer('o-1'))
  t.match(workflows.find('shop', 'o-1'), {status: SUSPENDED})
})

t.test('one that was resumed in the last turn of a round begins the next one', async t => {
  const {workflows} = await leftBy(t, [call(0, 'charge')])
  await workflows.tell('shop', 'o-1', 'suspend', suspended)
  await workflows.tell('shop', 'o-1', 'resume', {executionResumed: {input: undefined}})
  await workflows.completeActivity('shop', done('o-1', 0))
  const worker = connected(workflows)
  worker.seen()
  await workflows.completeTurn('shop', answer('o-1', [end(CONTINUED_AS_NEW, '2')]))
  t.strictSame(worker.seen(), ['o-1: | workflowStarted executionStarted'])
})

const changed = {
  ...end(FAILED),
  complete: {
    status: FAILED,
    result: undefined,
    carryoverEvents: [],
    failureDetails: encode(FAILURE_DETAILS, {
      errorType: 'NonDeterminismError',
      errorMessage: 'a previous execution called something else with sequence number 0',
      stackTrace: undefined
    })
  }
}

t.test('a workflow whose code has changed is terminated all the same', async t => {
  const {workflows, clock} = await openHouse(t)
  const leave = workflows.connect('shop', new TestWorker(Infinity, 'shop', 1))
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'charge')]))
  clock.pass(1000)
  leave()
  await workflows.tell('shop', 'o-1', 'terminate', terminated(false))
  workflows.connect('shop', new TestWorker(Infinity, 'shop', 2))
  const rest = mock.method(LiveInstances.prototype, 'rest')
  t.teardown(() => rest.mock.restore())
  await workflows.completeTurn('shop', answer('o-1', [changed]))
  t.match(workflows.find('shop', 'o-1'), {status: TERMINATED, output: '"off"'})
  t.equal(rest.mock.callCount(), 1, 'it may be dropped from memory')
})

t.test('so is one that has got too large for its workers', async t => {
  const house = await leftBy(t, [call(0, 'charge')])
  const {workflows} = house
  await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'x', input: {value: 'x'.repeat(5000)}}})
  house.maxBytes = () => 4096
  await workflows.tell('shop', 'o-1', 'terminate', terminated(false))
  t.match(workflows.find('shop', 'o-1'), {status: TERMINATED})
})

t.test('a recursive termination that comes while a worker ends the workflow reaches its children', async t => {
  const {workflows} = await openHouse(t)
  const worker = connected(workflows)
  for (const how of ['completed', 'terminated'] as const) {
    const id = `o-${how}`
    await workflows.start('shop', order(id))
    await workflows.completeTurn('shop', answer(id, [{id: 0, createChild: childOf(`c-${how}`)}]))
    await workflows.completeTurn('shop', answer(`c-${how}`, [call(0, 'pay')]))
    if (how === 'completed') await workflows.tell('shop', id, 'event', {eventRaised: {name: 'x', input: undefined}})
    else await workflows.tell('shop', id, 'terminate', terminated(false))
    await workflows.tell('shop', id, 'terminate', terminated(true))
    await workflows.completeTurn('shop', answer(id, [end(how === 'completed' ? COMPLETED : TERMINATED)]))
    worker.seen()
    await workflows.completeTurn('shop', answer(`c-${how}`, [end(TERMINATED)]))
    t.match(workflows.find('shop', `c-${how}`), {status: TERMINATED}, how)
  }
})

t.test('a workflow of an app that has left the template is terminated without a worker', async t => {
  const house = await leftBy(t, [call(0, 'charge')])
  const {workflows} = house
  house.hasApp = app => app !== 'shop'
  await workflows.tell('shop', 'o-1', 'terminate', terminated(true))
  t.match(workflows.find('shop', 'o-1'), {status: TERMINATED, output: '"off"'})
})

t.test('a rerun from a step that was scheduled as its workflow was suspended is suspended', async t => {
  const {workflows} = await leftBy(t, [call(0, 'charge')])
  await workflows.completeActivity('shop', done('o-1', 0))
  await workflows.tell('shop', 'o-1', 'suspend', suspended)
  workflows.connect('shop', new TestWorker())
  await workflows.completeTurn('shop', answer('o-1'))
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'ship')]))
  await workflows.tell('shop', 'o-1', 'resume', {executionResumed: {input: undefined}})
  await workflows.completeActivity('shop', done('o-1', 1))
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  await workflows.rerun('shop', {id: 'o-1', eventId: 1, newId: 'r-1', input: undefined, newChildId: undefined})
  t.match(workflows.find('shop', 'r-1'), {status: SUSPENDED})
})
