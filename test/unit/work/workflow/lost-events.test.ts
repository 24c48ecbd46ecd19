import t from 'tap'
import type {Action} from '../../../../src/work/workflow/messages.ts'
import {answer, openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'

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
