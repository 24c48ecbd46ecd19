import {setImmediate as turn} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {bodyText} from '../cluster/api-client.ts'
import type {AppLogs} from '../cluster/app-deployment.ts'
import {checkObjects} from '../cluster/check.ts'
import type {ClusterEvent} from '../cluster/cluster-event.ts'
import {ClusterRun} from '../cluster/cluster-run.ts'
import {ObjectStore} from '../cluster/object-store.ts'
import type {Answer} from '../../../../test/rig/fake-api-server.ts'
import {openServer} from './open-server.ts'
import {objectsIn, orders} from './shop.ts'

const DEPLOYMENTS = '/apis/apps/v1/namespaces/shop/deployments'
const JOB = '/apis/batch/v1/namespaces/shop/jobs/orders'
const PODS = '/api/v1/namespaces/shop/pods'
const EVENTS = '/api/v1/namespaces/shop/events'
const LOGS = {
  app: {sink: () => undefined, close: () => undefined},
  sidecar: {write: () => undefined, close: () => undefined}
}

/** A run that is not started yet; `heard` settles with the next event that fits. */
async function openRun(t: Test, yaml: string) {
  const {server, client} = await openServer(t)
  const store = new ObjectStore(client)
  await store.lookUpDapr()
  const objects = await objectsIn(t, yaml)
  const waiting = new Set<(event: ClusterEvent) => void>()
  const run = new ClusterRun({
    store,
    objects,
    checked: await checkObjects(store, objects),
    timeoutMs: 60_000,
    emit: event => {
      for (const hear of waiting) hear(event)
    },
    openLogs: async () => Promise.resolve(LOGS as unknown as AppLogs),
    writeFiles: () => []
  })
  const heard = async (fits: (event: ClusterEvent) => boolean): Promise<void> =>
    new Promise(resolve => {
      const hear = (event: ClusterEvent): void => {
        if (!fits(event) || !waiting.delete(hear)) return
        resolve()
      }
      waiting.add(hear)
    })
  return {server, run, heard}
}

t.test('a workload that is gone before the answer to what has made it is known to be gone', async t => {
  const {server, run, heard} = await openRun(
    t,
    `${orders()}  - appID: stock\n    appDirPath: ./orders\n    containerImage: stock:1\n`
  )
  const ready = heard(
    event =>
      event.type === 'all-ready' || (event.type === 'app-moved' && event.id === 'stock' && event.progress === 'ready')
  )
  server.answer = async ({method, path, query}) => {
    if (method !== 'PATCH' || path !== `${DEPLOYMENTS}/orders` || query.has('dryRun')) return undefined
    await ready
    const labels = {app: 'orders', 'pillion/template': 'shop'}
    const body = server.save(path, {apiVersion: 'apps/v1', kind: 'Deployment', metadata: {name: 'orders', labels}})
    server.remove(path)
    // what the watch brings after it
    const moved = heard(event => event.type === 'app-moved' && event.id === 'stock')
    const stock = server.objects.get(`${DEPLOYMENTS}/stock`)
    if (stock !== undefined) server.save(`${DEPLOYMENTS}/stock`, stock)
    await moved
    return {code: 201, body}
  }
  const told = heard(
    event => event.type === 'warned' && event.text.startsWith('Deployment "orders" was deleted by someone else')
  )
  run.start()
  await told
  run.stop()
  t.equal(await run.ended, true)
})

/** A run of a Job that has no pod, and the half minute in which it may get one, once it has begun. */
async function openJob(t: Test) {
  const opened = await openRun(
    t,
    `${orders('kubernetes: {job: true}')}  - {appID: web, appDirPath: ./orders, containerImage: web:1}\n`
  )
  const {run, heard} = opened
  const [begun, set] = [Promise.withResolvers<() => void>(), setTimeout]
  let hasMoved = false
  const moved = heard(event => (hasMoved ||= event.type === 'app-moved' && event.id === 'orders'))
  t.intercept(globalThis, 'setTimeout', {
    value: (fire: () => void, ms = 0) => {
      if (ms === 30_000 && hasMoved) begun.resolve(fire)
      return set(fire, ms)
    }
  })
  run.start()
  await moved
  return {...opened, begun: begun.promise}
}

t.test('a Job that is refused its pod ends the run with the reason', async t => {
  const {server, run, begun} = await openJob(t)
  const body = {metadata: {}, items: [{metadata: {}, message: 'exceeded quota'}]}
  server.answer = ({path}) => (path === EVENTS ? {code: 200, body} : undefined)
  ;(await begun)()
  await t.rejects(run.ended, {message: 'the cluster cannot run "orders"', explanation: 'exceeded quota\nWaited 30 s.'})
})

t.test('a Job that someone deletes does not end the run', async t => {
  const {server, run, heard, begun} = await openJob(t)
  const told = heard(event => event.type === 'warned' && event.text.startsWith('Job "orders" was deleted'))
  server.remove(JOB)
  await told
  ;(await begun)()
  await turn()
  run.stop()
  t.equal(await run.ended, true)
})

/** A run of a Job that someone deletes once it runs; `web` is made afterwards. */
async function openLost(t: Test, web: string) {
  const apps = `${orders('kubernetes: {job: true}')}  - {appID: web, appDirPath: ./orders, containerImage: web:1${web}}\n`
  const opened = await openRun(t, apps)
  const {server, heard, run} = opened
  server.answer = async ({method, path, query}) => {
    if (method !== 'PATCH' || !path.endsWith('/web') || query.has('dryRun')) return undefined
    server.answer = () => undefined
    const runs = heard(event => event.type === 'app-moved' && event.detail.startsWith('container orders runs'))
    const metadata = {name: 'orders-1', labels: {app: 'orders', 'pillion/template': 'shop'}}
    const status = {containerStatuses: [{name: 'orders', state: {running: {}}}]}
    const pod = {apiVersion: 'v1', kind: 'Pod', metadata, spec: {containers: [{name: 'daprd'}]}, status}
    server.save(`${PODS}/orders-1`, pod)
    await runs
    const told = heard(event => event.type === 'warned')
    server.remove(`${PODS}/orders-1`)
    server.remove(JOB)
    await told
    return undefined
  }
  run.start()
  return opened
}

t.test('a Job that someone deletes while another app starts is not waited for', {timeout: 10_000}, async t => {
  const {run, heard} = await openLost(t, '')
  await heard(event => event.type === 'all-ready' && event.count === 1)
  run.stop()
  t.equal(await run.ended, true)
})

t.test('a Job that someone deletes has not done its work where the others have', {timeout: 10_000}, async t => {
  const {run, heard, server} = await openLost(t, ', kubernetes: {job: true}')
  await heard(event => event.type === 'app-moved' && event.id === 'web')
  const path = JOB.replace('orders', 'web')
  const web = server.objects.get(path)
  if (web !== undefined) server.save(path, {...web, status: {succeeded: 1}})
  t.equal(await run.ended, false)
})

t.test('a pod that comes while the cluster is asked why there is none has half a minute of its own', async t => {
  const {server, run, heard, begun} = await openJob(t)
  const body = {metadata: {}, items: [{metadata: {}, message: 'exceeded quota'}]}
  const conditions = [{type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes are free'}]
  const answered = Promise.withResolvers<void>()
  server.answer = async ({path}) => {
    if (path !== EVENTS) return undefined
    const moved = heard(event => event.type === 'app-moved' && event.id === 'orders')
    const metadata = {name: 'orders-1', labels: {app: 'orders', 'pillion/template': 'shop'}}
    server.save(`${PODS}/orders-1`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: {containers: [{name: 'daprd'}]},
      status: {conditions}
    })
    await moved
    answered.resolve()
    return {code: 200, body}
  }
  ;(await begun)()
  await answered.promise
  await heard(event => event.type === 'app-moved' && event.id === 'orders')
  run.stop()
  t.equal(await run.ended, true)
})

t.test('a second Ctrl-C waits five seconds for the rest of an answer, too', {timeout: 30_000}, async t => {
  const {server, client} = await openServer(t)
  await client.json('GET', '/version')
  const [came, begin] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  server.answer = async ({path}): Promise<Answer> => {
    if (path === '/late') {
      came.resolve()
      await begin.promise
    }
    return 'half'
  }
  const late = client.open('GET', '/late')
  const begun = bodyText(await client.open('GET', '/begun'), 1000)
  await came.promise
  client.hurry()
  begin.resolve()
  const message = 'no answer within 5 s'
  await Promise.all([t.rejects(begun, {message}), t.rejects(bodyText(await late, 1000), {message}, 'begins after it')])
})
