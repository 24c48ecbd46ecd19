/** `spec.workflow` of a Configuration, policies and metrics of workflows, as the ports of a run show them. */
import {randomUUID} from 'node:crypto'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {encode} from '../../src/proxy/net/grpc/message-codec.ts'
import {START_INSTANCE} from '../../src/work/workflow/hub/hub-messages.ts'
import {ACTIVITY_ANSWER, TURN_ANSWER} from '../../src/work/workflow/messages.ts'
import {complete, instanceIn, openHub, type Hub} from '../rig/hub.ts'

t.setTimeout(120_000)

const configuration = (workflow: object): string =>
  JSON.stringify({apiVersion: 'dapr.io/v1alpha1', kind: 'Configuration', metadata: {name: 'config'}, spec: {workflow}})

const schedule = (id: number, name: string, app = ''): object => ({
  id,
  scheduleTask: {name, taskExecutionId: ''},
  ...(app !== '' && {router: {sourceAppID: '', targetAppID: app}})
})

const turnOf = (instanceId: string, actions: readonly object[]): Uint8Array =>
  encode(TURN_ANSWER, {instanceId, actions: actions as never})

const begin = (hub: Hub, instanceId: string): void =>
  void hub.call('StartInstance', encode(START_INSTANCE, {instanceId, name: 'order'}))

const turn = async ({item}: Hub): Promise<string> => (await item()).turn?.instanceId ?? ''

t.test('limits, and how long what is over is kept: from the file, and from its next save', async t => {
  const limited = {
    maxConcurrentWorkflowInvocations: 1,
    maxConcurrentActivityInvocations: 1,
    stateRetentionPolicy: {completed: '1ms'}
  }
  const hub = await openHub(t, {
    app: {configFilePath: 'config.yaml'},
    files: {'shop/config.yaml': configuration(limited)}
  })
  const {call, rig} = hub
  const items: string[] = []
  const take = async (): Promise<void> => {
    const {turn: given, activity} = await hub.item()
    items.push(given?.instanceId ?? `${activity?.name ?? ''} ${activity?.taskId ?? ''}`)
  }
  for (const id of ['a', 'b']) begin(hub, id)
  await take()
  t.match(await instanceIn(hub, 'b'), {status: 6})
  await call('CompleteWorkflowTask', turnOf('a', [schedule(1, 'charge'), schedule(2, 'charge')]))
  await take()
  await take()
  t.strictSame([items[0], ...items.splice(0).slice(1).toSorted()], ['a', 'b', 'charge 1'], 'one of each kind at a time')
  await call('CompleteActivityTask', encode(ACTIVITY_ANSWER, {instanceId: 'a', taskId: 1, result: {value: '1'}}))
  await take()
  t.strictSame(items.splice(0), ['charge 2'], 'the turn of a waits for that of b')
  await call('CompleteWorkflowTask', complete('b', '1'))
  await take()
  t.strictSame(items.splice(0), ['a'])
  while ((await instanceIn(hub, 'b')) !== undefined) await pause(20)
  t.match(await rig.run(['workflow', 'list', '-o', 'ids']), {stdout: 'a\n'}, 'what is over is gone')
  begin(hub, 'c')
  await rig.write({'shop/config.yaml': configuration({})})
  await take()
  t.strictSame(items, ['c'], 'the limit is lifted by a save')
})

t.test('a policy of another app, at the ports; what the metrics count', async t => {
  const ofOther = {
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'WorkflowAccessPolicy',
    metadata: {name: 'shop'},
    spec: {rules: [{callers: [{appID: 'other'}], workflows: [{name: '*', operations: ['get']}]}]}
  }
  const hub = await openHub(t, {
    app: {resourcesPath: 'resources', metricsPort: 0},
    files: {'shop/resources/policy.yaml': JSON.stringify(ofOther)},
    others: [{appID: 'other'}]
  })
  const {call, rig, run} = hub
  begin(hub, 'o-1')
  t.equal(await turn(hub), 'o-1')
  await call('CompleteWorkflowTask', turnOf('o-1', [schedule(1, 'charge')]))
  t.match((await hub.item()).activity, {name: 'charge'}, 'of itself an app may ask anything')
  await call('CompleteActivityTask', encode(ACTIVITY_ANSWER, {instanceId: 'o-1', taskId: 1, result: {value: '1'}}))
  await turn(hub)
  await call('CompleteWorkflowTask', complete('o-1', '1'))
  const {http} = await run.ports('other')
  const url = `http://127.0.0.1:${http}/v1.0/workflows/dapr`
  t.match(await (await fetch(`${url}/o-1?appID=shop`)).json(), {runtimeStatus: 'COMPLETED'}, 'a rule allows that')
  const denied = await fetch(`${url}/order/start?appID=shop&instanceID=o-2`, {method: 'POST'})
  t.match(
    await denied.text(),
    /access denied by workflow access policy: app 'other' operation 'schedule' on workflow 'order'/
  )
  t.equal(await instanceIn(hub, 'o-2'), undefined)
  const {stdout} = await rig.run(['env', 'shop'])
  const port = /DAPR_METRICS_PORT=(\d+)/.exec(stdout)?.[1]
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  for (const line of [
    /^dapr_runtime_workflow_operation_count\{[^}]*operation="create_workflow",status="success"\} 1$/m,
    /^dapr_runtime_workflow_execution_count\{[^}]*status="success",workflow_name="order"\} 1$/m,
    /^dapr_runtime_workflow_activity_execution_count\{activity_name="charge",[^}]*status="success"\} 1$/m
  ])
    t.match(text, line)
})

/** What `shop` may do. */
const policy = (operations: readonly string[]): string =>
  JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'WorkflowAccessPolicy',
    metadata: {name: 'stock'},
    spec: {rules: [{callers: [{appID: 'shop'}], workflows: [{name: '*', operations}]}]}
  })

t.test('the policies of an app that is left out hold before it is started, as they are in its files then', async t => {
  const stock = {appID: 'stock', resourcesPath: 'resources', profiles: ['tools']}
  const hub = await openHub(t, {
    files: {'stock/resources/policy.yaml': policy(['get'])},
    others: [stock],
    flags: ['--watch']
  })
  const {call, rig, run} = hub
  const {http} = await run.ports('shop')
  const ask = async (app: string): Promise<string> => {
    const url = `http://127.0.0.1:${http}/v1.0/workflows/dapr/order/start?appID=${app}&instanceID=${randomUUID()}`
    return (await fetch(url, {method: 'POST'})).text()
  }
  const DENIED = /access denied by workflow access policy: app 'shop' operation 'schedule' on workflow 'order'/
  t.match(await ask('stock'), DENIED)
  begin(hub, 'o-1')
  await turn(hub)
  await call('CompleteWorkflowTask', turnOf('o-1', [schedule(1, 'charge', 'stock')]))
  t.equal(await turn(hub), 'o-1', 'the activity has failed at once')
  await rig.write({'stock/resources/policy.yaml': policy(['schedule'])})
  while (DENIED.test(await ask('stock'))) await pause(20)
  await rig.write({'other/resources/policy.yaml': policy(['get'])})
  await rig.template([{appID: 'shop'}, stock, {...stock, appID: 'other'}])
  while (!DENIED.test(await ask('other'))) await pause(20)
  await rig.template([{appID: 'shop'}, {appID: 'stock', profiles: ['tools']}])
  while (DENIED.test(await ask('other'))) await pause(20)
})
