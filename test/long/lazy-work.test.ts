import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {openRuns, firstRun, WORKER} from '../rig/lazy-runs.ts'

t.test('a call of an actor of a type that no app is known to host starts those that have never run', async t => {
  const runs = await openRuns(t)
  const run = await runs.begin()
  t.equal(await runs.ask('/v1.0/actors/Cart/7/method/add', 'PUT'), 200)
  await run.waitForLine('desk: woken by an actor of type Cart')
})

t.test('an event that is declared in a file starts an app that has never run', async t => {
  const runs = await openRuns(t)
  await runs.rig.write({
    'resources/declared.yaml': `apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: {name: declared}
spec: {pubsubname: pubsub, topic: orders, routes: {default: /orders}}
`
  })
  const run = await runs.begin()
  t.equal(await runs.ask('/v1.0/publish/pubsub/orders', 'POST', {}), 204)
  await run.waitForLine('got POST /orders')
})

t.test('an event of an input binding that an app wanted yesterday starts it today', async t => {
  const runs = await openRuns(t)
  await runs.rig.write({'resources/tick.yaml': component('tick', 'bindings.cron', {schedule: '@every 1s'})})
  await firstRun(runs)
  const run = await runs.begin()
  await run.waitForLine('desk: woken by an event of binding tick')
  await run.waitForLine('got POST /tick')
})

t.test('it does so, and comes, though the app breaks off the question whether it wants it', async t => {
  const runs = await openRuns(t)
  await runs.rig.write({'resources/tick.yaml': component('tick', 'bindings.cron', {schedule: '@every 1s'})})
  await firstRun(runs)
  await runs.rig.write({'desk/silent': ''})
  const run = await runs.begin()
  await run.waitForLine('got POST /tick')
})

t.test('an event of a binding that a file declares an input starts an app that has never run', async t => {
  const runs = await openRuns(t)
  const cron = component('tick', 'bindings.cron', {schedule: '@every 1s', direction: 'input'})
  await runs.rig.write({'resources/tick.yaml': cron})
  const run = await runs.begin()
  await run.waitForLine('desk: woken by an event of binding tick')
  await run.waitForLine('got POST /tick')
})

t.test('a timer of a workflow of yesterday starts the app of its worker today', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.template([
    {appID: 'orders', lazy: true, daprHTTPPort: port, command: [process.execPath, WORKER], env: {TIMER_MS: '3600000'}},
    {appID: 'other', command: ['sleep', '1000']}
  ])
  const ask = async (path: string): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1.0/workflows/dapr/${path}`, {method: 'POST', body: '{}'})
    await answer.text()
    return answer.status
  }
  const first = rig.pillion(['run', '-f', '.'])
  await first.waitForLine('"orders" is lazy, but starts now: it has no port at which it can be called')
  await first.waitForLine('works')
  t.equal(await ask('order/start?instanceID=o-1'), 202)
  t.equal(await ask('o-1/raiseEvent/paid'), 202)
  await rig.until(['workflow', 'history', 'o-1', '-o', 'json'], 'TimerCreated')
  await first.end('SIGINT')
  const second = rig.pillion(['run', '-f', '.'])
  await second.waitForLine('App id "orders" starts with its first call')
  const skip = rig.pillion(['skip', '2h'])
  await second.waitForLine('orders: woken by a workflow')
  t.equal((await skip.exited).code, 0)
  await rig.until(['workflow', 'history', 'o-1', '-o', 'json'], 'ExecutionCompleted')
})
