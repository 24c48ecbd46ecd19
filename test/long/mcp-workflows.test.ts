import t from 'tap'
import {agent, shop, started} from './mcp-agent.ts'

t.test('workflows: one is started, waits for a worker, is ended and removed', async t => {
  const rig = await shop(t)
  await started(rig)
  const {call} = await agent(t, rig)
  t.match(await call('workflows'), {text: 'There are none.'})
  const order = {name: 'order', id: 'o-1', app: 'shop', input: '{"item":12345678901234567890,"password":"swordfish"}'}
  t.match(await call('change_workflow', order), {
    text: /^Done\. It is PENDING\. No worker of workflows is connected for its app/
  })
  t.match(await call('workflows', {status: 'PENDING'}), {text: /"id":"o-1"/})
  const shown = await call('workflows', {id: 'o-1'})
  t.match(shown.text, / It is PENDING\. No worker of workflows is connected/)
  t.match(shown.text, /"input": "\{\\"item\\":12345678901234567890,\\"password\\":\\"<masked, 9 characters>\\"\}"/)
  t.match(await call('replay_workflow', {id: 'o-1'}), {
    isError: true,
    text: /^"shop" has no worker of workflows connected/
  })
  t.match(await call('change_workflow', {id: 'o-1', action: 'raise', event: 'hurry'}), {
    text: /^Done\. It is PENDING\. No worker/
  })
  t.match(await call('change_workflow', {id: 'o-1', action: 'purge'}), {isError: true, text: /has not yet completed/})
})
