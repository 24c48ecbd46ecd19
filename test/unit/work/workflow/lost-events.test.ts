import t from 'tap'
import type {Action} from '../../../../src/work/workflow/messages.ts'
import {answer, connected, openHouse, order, TestWorker, timer} from '../../../rig/workflow-house.ts'

const send = (id: number, instanceId: string, targetAppID: string): Partial<Action> => ({
  id,
  sendEvent: {instance: {instanceId, executionId: undefined}, name: 'go', data: undefined},
  router: {sourceAppID: '', targetAppID}
})

t.test('an event of a workflow that reaches no workflow is named, once', async t => {
  const {workflows, said} = await openHouse(t, undefined, {hasApp: app => app === 'shop'})
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  await workflows.start('shop', order('o-2'))
  const events = [send(0, 'o-2', ''), send(1, 'b-1', 'bank'), send(2, 'b-1', 'bank'), send(3, 'o-9', 'shop')]
  await workflows.completeTurn('shop', answer('o-1', events))
  t.strictSame(said, [
    "shop: workflow 'order' 'o-1' has sent 'go' to workflow 'b-1' of app 'bank', which is not in this run: it is lost",
    "shop: workflow 'order' 'o-1' has sent 'go' to workflow 'o-9' of app 'shop', which does not exist: it is lost"
  ])
})

// after such a timer Go's SDK 1.15 gives no further event to the code
t.test('a timer does not fire behind the event that it waits with, which waits for a turn or has one', async t => {
  const {workflows, clock} = await openHouse(t)
  const worker = connected(workflows)
  const raise = async (id: string, name: string): Promise<unknown> =>
    workflows.tell('shop', id, 'event', {eventRaised: {name, input: undefined}})
  const timers = ['Go', 'Go', 'Stop'].map((name, id) => ({id, createTimer: timer({seconds: 1n, nanos: 0}, name)}))
  for (const id of ['o-1', 'o-2']) {
    await workflows.start('shop', order(id))
    await workflows.completeTurn('shop', answer(id, timers))
  }
  worker.items.length = 0
  await raise('o-1', 'go')
  await raise('o-2', 'another')
  await raise('o-2', 'go')
  clock.pass(5000)
  await new Promise(resolve => setImmediate(resolve))
  for (const id of ['o-1', 'o-2']) await workflows.completeTurn('shop', answer(id))
  t.match(worker.seen(), [
    /^o-1: .*\| workflowStarted eventRaised$/,
    /^o-2: .*\| workflowStarted eventRaised$/,
    /^o-1: .*\| workflowStarted timerFired timerFired$/,
    /^o-2: .*\| workflowStarted eventRaised timerFired timerFired$/
  ])
})
