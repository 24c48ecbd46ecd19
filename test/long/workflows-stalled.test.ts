import t from 'tap'
import {encode} from '../../src/proxy/net/grpc/message-codec.ts'
import {START_INSTANCE} from '../../src/work/workflow/hub/hub-messages.ts'
import {TURN_ANSWER} from '../../src/work/workflow/messages.ts'
import {openHub} from '../rig/hub.ts'

t.test('a workflow that is stalled is named on the terminal, in why and in its list; wait gives up', async t => {
  const hub = await openHub(t)
  const {rig, run} = hub
  const starting = hub.call('StartInstance', encode(START_INSTANCE, {instanceId: 'order-1', name: 'saga'}))
  const completionToken = (await hub.item()).token
  const lacks = {id: 1, versionNotAvailable: {}} as never
  const version = {patches: [], name: 'v1'}
  await hub.call('CompleteOrchestratorTask', encode(TURN_ANSWER, {instanceId: 'order-1', completionToken, actions: [lacks], version}))
  await run.waitForLine('workflow saga order-1 of "shop" is stalled: Version not available: v1', {stream: 'stderr'})
  t.match(await starting, {code: 0})
  const stalled = 'is stalled: Version not available: v1'
  t.match(await rig.run(['why']), {code: 0, stdout: RegExp(`^"shop" is ready\nworkflow saga order-1 ${stalled}\n`)})
  t.match(await rig.run(['workflow', 'list', '--filter-status', 'STALLED']), {code: 0, stdout: /order-1 .*STALLED/})
  t.match(await rig.run(['workflow', 'history', 'order-1']), {code: 0, stdout: /ExecutionStalled/})
  t.match(await rig.run(['wait', '--for', 'workflow:order-1:completed']), {code: 1, stderr: /saga of shop is STALLED: Version not available: v1/})
  t.match(await rig.run(['workflow', 'suspend', 'order-1']), {code: 1, stderr: /actor is stalled/})
  t.match(await rig.run(['workflow', 'terminate', 'order-1']), {code: 0})
}) // prettier-ignore
