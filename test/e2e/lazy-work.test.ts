import {join} from 'node:path'
import t, {type Test} from 'tap'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** Reads a topic, hosts actors, takes jobs, and prints what it gets. */
const APP = `
import {createServer} from 'node:http'
const answers = {
  '/dapr/subscribe': [{pubsubname: 'pubsub', topic: 'news', route: '/news'}],
  '/dapr/config': {entities: ['Cart']}
}
createServer((request, response) => {
  const {method, url} = request
  request.resume().on('end', () => {
    if (!url.startsWith('/dapr/') && method !== 'DELETE') console.log('got ' + method + ' ' + url)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answers[url] ?? {}))
  })
}).listen(Number(process.env.APP_PORT), '127.0.0.1', () => console.log('listens'))
`

const PUBSUB = component('pubsub', 'pubsub.in-memory')
const WORKER = join(import.meta.dirname, '../fixtures/apps/workflow-worker.ts')

interface Runs {
  readonly rig: Rig
  /** Begins a run, in which the app is asleep. */
  readonly begin: () => Promise<ReturnType<Rig['pillion']>>
  /** Sends a request to the sidecar of the app. */
  readonly ask: (path: string, method?: string, body?: unknown) => Promise<number>
}

async function openRuns(t: Test): Promise<Runs> {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({'app.mjs': APP, 'resources/pubsub.yaml': PUBSUB})
  const command = ['node', '../app.mjs']
  await rig.template(
    [
      {appID: 'desk', appDirPath: 'desk', autoPort: true, lazy: true, daprHTTPPort: port, command},
      {appID: 'other', appDirPath: 'other', command: ['sleep', '1000']}
    ],
    {resourcesPath: './resources'}
  )
  return {
    rig,
    begin: async () => {
      const run = rig.pillion(['run', '-f', '.'])
      await run.waitForLine('Started Dapr with app id "other"')
      return run
    },
    ask: async (path, method = 'POST', body = {}) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: {'content-type': 'application/json'},
        ...(method !== 'GET' && {body: JSON.stringify(body)})
      })
      await answer.text()
      return answer.status
    }
  }
}

/** Its process has said what starts it, and the run has ended. */
async function firstRun({begin, ask}: Runs, work = async (): Promise<void> => Promise.resolve()): Promise<void> {
  const run = await begin()
  t.equal(await ask('/v1.0/invoke/desk/method/hello'), 200)
  await run.waitForLine('got POST /hello')
  while ((await ask('/v1.0/actors/Cart/1/method/known', 'PUT')) !== 200);
  await work()
  run.signal('SIGINT')
  await run.exited
}

t.test('an event of a topic to which an app subscribed by itself yesterday starts it today', async t => {
  const runs = await openRuns(t)
  await firstRun(runs)
  const run = await runs.begin()
  t.equal(await runs.ask('/v1.0/publish/pubsub/news', 'POST', {text: 'rain'}), 204)
  await run.waitForLine('got POST /news')
  await run.waitForLine('desk: woken by an event of topic news')
})

t.test('a call of an actor of a type that an app hosted yesterday starts it today', async t => {
  const runs = await openRuns(t)
  await firstRun(runs)
  const run = await runs.begin()
  t.equal(await runs.ask('/v1.0/actors/Cart/7/method/add', 'PUT'), 200)
  await run.waitForLine('desk: woken by an actor of type Cart')
})

t.test('a call of an actor of a type that no app is known to host starts those that have never run', async t => {
  const runs = await openRuns(t)
  const run = await runs.begin()
  t.equal(await runs.ask('/v1.0/actors/Cart/7/method/add', 'PUT'), 200)
  await run.waitForLine('desk: woken by an actor of type Cart')
})

t.test('a reminder that was set yesterday starts the app of its actor today', async t => {
  const runs = await openRuns(t)
  await firstRun(runs, async () => {
    t.equal(await runs.ask('/v1.0/actors/Cart/7/reminders/pay', 'POST', {dueTime: '4s', period: ''}), 204)
  })
  const run = await runs.begin()
  await run.waitForLine('got PUT /actors/Cart/7/method/remind/pay')
})

t.test('a job that is due starts its app, today and tomorrow', async t => {
  const runs = await openRuns(t)
  const first = await runs.begin()
  t.equal(await runs.ask('/v1.0-alpha1/jobs/clean', 'POST', {schedule: '@every 1s', repeats: 2}), 204)
  await first.waitForLine('desk: woken by job clean')
  await first.waitForLine('got POST /job/clean')
  first.signal('SIGINT')
  await first.exited
  const second = await runs.begin()
  await second.waitForLine('desk: woken by job clean')
  await second.waitForLine('got POST /job/clean')
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
    {appID: 'orders', lazy: true, daprHTTPPort: port, command: [process.execPath, WORKER], env: {TIMER_MS: '3000'}},
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
  first.signal('SIGINT')
  await first.exited
  const second = rig.pillion(['run', '-f', '.'])
  await second.waitForLine('App id "orders" starts with its first call')
  await second.waitForLine('orders: woken by a workflow')
  await rig.until(['workflow', 'history', 'o-1', '-o', 'json'], 'ExecutionCompleted')
})
