import t from 'tap'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import {WorkflowCalls} from '../../../../../src/dapr/sidecar/blocks/workflow-calls.ts'
import {openHouse} from '../../../../rig/workflow-house.ts'

t.test('who starts a workflow of an app that the run does not have is told that it waits', async t => {
  const {workflows, said} = await openHouse(t)
  const context = {appId: 'shop', work: {workflows: async () => workflows}} as unknown as BlockContext
  const calls = new WorkflowCalls(context)
  const start = async (appId: string): Promise<string> =>
    calls.start({id: '', appId, name: 'order', input: '', options: {}, trace: ''})
  for (const app of ['', 'shop', 'bank']) await start(app)
  t.strictSame(said, [])
  const id = await start('nowhere')
  t.match(await calls.get({appId: 'nowhere', id}), {name: 'order'}, 'it is kept')
  t.strictSame(said, ["shop: workflow 'order' waits for app 'nowhere', which the template does not have"])
})
