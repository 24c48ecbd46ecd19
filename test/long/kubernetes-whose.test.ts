/** A run on a cluster in which others work, too, and whose pods come and go. */
import t from 'tap'
import {openShop} from '../rig/cluster-shop.ts'

const DEPLOYMENTS = '/apis/apps/v1/namespaces/shop/deployments'
const PODS = '/api/v1/namespaces/shop/pods'
const JOB = '/apis/batch/v1/namespaces/shop/jobs/migrate'
const OURS = {'pillion/template': 'shop'}

t.test('an app that was ready may lose a pod: its run says why no other one comes, and goes on', async t => {
  const {server, run: start} = await openShop(t)
  const run = start()
  await run.waitForLine('1 app ready')
  const state = {waiting: {reason: 'ImagePullBackOff', message: 'Back-off pulling image'}}
  const pod = {
    metadata: {name: 'stock-2', labels: {...OURS, app: 'stock'}},
    spec: {containers: [{name: 'stock', image: 'test/app:1'}, {name: 'daprd'}]},
    status: {containerStatuses: [{name: 'stock', ready: false, restartCount: 0, image: '', state}]}
  }
  server.save(`${PODS}/stock-2`, pod)
  await run.waitForLine('"stock" cannot start: ImagePullBackOff, image test/app:1', {stream: 'stderr'})
  server.save(`${PODS}/stock-2`, pod)
  server.print(`${PODS}/stock-1`, 'still here')
  await run.waitForLine('== APP - stock == still here')
  server.remove(`${PODS}/stock-2`)
  run.signal('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  t.equal(run.stderr.lines.filter(line => line.includes('ImagePullBackOff')).length, 1)
})

t.test('what another one makes while an app waits for its turn is neither taken over nor deleted', async t => {
  const {server, run: start} = await openShop(t, [{appID: 'stock'}, {appID: 'shop', dependsOn: ['stock']}])
  server.answer = ({method, path, query}) => {
    if (method === 'PATCH' && !query.has('dryRun') && path.endsWith('/stock'))
      server.save(`${DEPLOYMENTS}/shop`, {kind: 'Deployment', metadata: {name: 'shop', labels: {app: 'theirs'}}})
    return undefined
  }
  const run = start()
  t.same(await run.exited, {code: 1, signal: null})
  t.match(run.stderr.text, 'Deployment "shop" exists in the namespace "shop" and belongs to someone else')
  t.same([...server.objects.keys()], [`${DEPLOYMENTS}/shop`])
})

t.test('a run that fails before it has applied anything deletes nothing of another run of its template', async t => {
  const {server, run: start} = await openShop(t)
  const first = start()
  await first.waitForLine('1 app ready')
  let isCut = false
  server.answer = ({method, path, query}) => {
    if (isCut || method !== 'GET' || path !== PODS || query.has('watch')) return undefined
    isCut = true
    return {code: 500}
  }
  t.same(await start().exited, {code: 1, signal: null})
  t.ok(server.objects.has(`${DEPLOYMENTS}/stock`))
  first.signal('SIGINT')
  t.same(await first.exited, {code: 0, signal: null})
})

t.test('a Secret that a user may make, and not list, goes with its run', async t => {
  const {rig, server, run: start} = await openShop(t, [{appID: 'stock', envFile: '.env'}])
  await rig.write({'stock/.env': 'PASSWORD=x\n'})
  server.answer = ({method, path}) => (method === 'GET' && path.endsWith('/secrets') ? {code: 403} : undefined)
  const run = start()
  await run.waitForLine('1 app ready')
  t.ok(server.objects.has('/api/v1/namespaces/shop/secrets/stock-env'))
  run.signal('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  t.same([...server.objects.keys()], [])
})

t.test('stop deletes the Secrets of a run that was killed also where it may not list them', async t => {
  const {rig, server, env, run: start} = await openShop(t, [{appID: 'stock', envFile: '.env'}])
  await rig.write({'stock/.env': 'PASSWORD=x\n'})
  server.answer = ({method, path}) => (method === 'GET' && path.endsWith('/secrets') ? {code: 403} : undefined)
  const run = start()
  await run.waitForLine('1 app ready')
  run.signal('SIGKILL')
  await run.exited
  const secret = '/api/v1/namespaces/shop/secrets/stock-env'
  const ours = server.objects.get(secret)
  server.save(secret, {kind: 'Secret', metadata: {name: 'stock-env'}})
  t.match(await rig.run(['stop', '-k', '-f', '.'], {env}), {code: 0})
  t.same([...server.objects.keys()], [secret], 'that of someone else stays')
  if (ours !== undefined) server.save(secret, ours)
  t.match(await rig.run(['stop', '-k', '-f', '.'], {env}), {code: 0, stdout: /Deleting Secret "stock-env"/})
  t.same([...server.objects.keys()], [])
})

t.test('a write that meets another one of the same moment is sent again', async t => {
  const {server, run: start} = await openShop(t)
  const message = 'Operation cannot be fulfilled on resourcequotas "few": the object has been modified'
  let refused = 0
  server.answer = ({method, query}) => {
    if (method !== 'PATCH' || query.has('dryRun') || refused > 0) return undefined
    refused++
    return {code: 409, body: {kind: 'Status', code: 409, reason: 'Conflict', message}}
  }
  const run = start()
  await run.waitForLine('1 app ready')
  run.signal('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  t.equal(refused, 1)
})

t.test('a Job that failed in a run which was killed is started again', async t => {
  const {server, run: start} = await openShop(t, [{appID: 'migrate', kubernetes: {job: true}}])
  const metadata = {name: 'migrate', labels: {...OURS, app: 'migrate'}}
  const conditions = [{type: 'Failed', status: 'True', message: 'it failed'}]
  server.save(JOB, {kind: 'Job', metadata, status: {failed: 1, conditions}})
  const deleted = Promise.withResolvers<void>()
  server.answer = ({method, path, query}) => {
    if (method === 'PATCH' && path === JOB && !query.has('dryRun')) deleted.resolve()
    return undefined
  }
  const run = start()
  await deleted.promise
  await server.applied(JOB)
  await server.watching(3)
  server.save(JOB, {kind: 'Job', metadata, status: {succeeded: 1}})
  t.same(await run.exited, {code: 0, signal: null})
  t.ok(server.asked.indexOf(`DELETE ${JOB}`) < server.asked.indexOf(`PATCH ${JOB}`))
})

t.test('a Job that is replaced begins when the pod of the one before has ended', async t => {
  const {server, run: start} = await openShop(t, [{appID: 'migrate', kubernetes: {job: true}}])
  const labels = {...OURS, app: 'migrate'}
  const pod = `${PODS}/migrate-1`
  server.hasGrace = true
  server.save(pod, {metadata: {name: 'migrate-1', labels}, spec: {containers: []}})
  server.save(JOB, {kind: 'Job', metadata: {name: 'migrate', labels}, status: {active: 1}})
  const asked: string[] = []
  const applied = Promise.withResolvers<void>()
  let looks = 0
  server.answer = ({method, path, query}) => {
    if (path !== JOB) return undefined
    if (query.has('dryRun')) return {code: 422, body: {code: 422, message: 'spec.template: field is immutable'}}
    if (method === 'GET' && asked.at(-1) === 'DELETE' && ++looks === 3) {
      asked.push('its pod ends')
      server.remove(pod)
    }
    if (method !== 'GET') asked.push(method)
    if (method === 'PATCH') applied.resolve()
    return undefined
  }
  const run = start()
  await applied.promise
  await server.applied(JOB)
  server.save(JOB, {kind: 'Job', metadata: {name: 'migrate', labels}, status: {succeeded: 1}})
  t.same(await run.exited, {code: 0, signal: null})
  t.same(asked.slice(0, 3), ['DELETE', 'its pod ends', 'PATCH'])
})

t.test('a Job that another one makes in the place of ours is not deleted', async t => {
  const {server, run: start} = await openShop(t, [
    {appID: 'stock'},
    {appID: 'migrate', kubernetes: {job: true}, dependsOn: ['stock']}
  ])
  const conditions = [{type: 'Failed', status: 'True', message: 'it failed'}]
  const ours = {name: 'migrate', labels: {...OURS, app: 'migrate'}}
  server.save(JOB, {kind: 'Job', metadata: ours, status: {failed: 1, conditions}})
  server.answer = ({method, path, query}) => {
    if (method !== 'PATCH' || query.has('dryRun') || !path.endsWith('/stock')) return undefined
    server.objects.delete(JOB)
    server.save(JOB, {kind: 'Job', metadata: {name: 'migrate', labels: {app: 'theirs'}}})
    return undefined
  }
  const run = start()
  t.same(await run.exited, {code: 1, signal: null})
  t.match(run.stderr.text, 'Job "migrate" exists in the namespace "shop" and belongs to someone else')
  t.same([...server.objects.keys()], [JOB])
})

t.test('a Job whose sidecar keeps its pod has failed after half a minute, and ends no other app', async t => {
  const job = {job: true, patch: {spec: {backoffLimit: 2}}}
  const {server, run: start} = await openShop(t, [{appID: 'stock'}, {appID: 'migrate', kubernetes: job}])
  const run = start()
  await server.applied(JOB)
  await server.watching(3)
  server.save(`${PODS}/migrate-1`, {
    metadata: {name: 'migrate-1', labels: {...OURS, app: 'migrate'}},
    spec: {containers: [{name: 'migrate', image: 'test/app:1'}, {name: 'daprd'}]},
    status: {
      containerStatuses: [
        {name: 'migrate', state: {terminated: {exitCode: 3}}},
        {name: 'daprd', state: {running: {startedAt: ''}}}
      ].map(each => ({...each, ready: false, restartCount: 0, image: ''}))
    }
  })
  await run.waitForLine('"migrate" failed: it exited with code 3, and its sidecar still runs', {stream: 'stderr'})
  t.ok(server.objects.has(`${DEPLOYMENTS}/stock`))
  server.print(`${PODS}/stock-1`, 'still here')
  await run.waitForLine('== APP - stock == still here')
  run.signal('SIGINT')
  server.remove(`${PODS}/migrate-1`)
  t.same(await run.exited, {code: 1, signal: null})
})

t.test('stop says what it may not look for, and that it knows nothing where it may not see Deployments', async t => {
  const {rig, server, env, run: start} = await openShop(t, [{appID: 'stock', envFile: '.env'}])
  await rig.write({'stock/.env': 'PASSWORD=x\n'})
  const run = start()
  await run.waitForLine('1 app ready')
  run.signal('SIGKILL')
  await run.exited
  server.answer = ({method, path}) => (method === 'GET' && path.includes('/namespaces/shop/') ? {code: 403} : undefined)
  t.match(await rig.run(['stop', '-k', '-f', '.'], {env}), {
    code: 1,
    stderr: /you may not read deployments in the Kubernetes context "kind-fake"/
  })
  server.answer = ({method, path}) => (method === 'GET' && path.includes('/secrets') ? {code: 403} : undefined)
  t.match(await rig.run(['stop', '-k', '-f', '.'], {env}), {
    code: 0,
    stdout: /Deleting Deployment "stock"/,
    stderr: /you may not list secrets in the namespace "shop": what a run made of these is still there/
  })
  t.same([...server.objects.keys()], ['/api/v1/namespaces/shop/secrets/stock-env'])
})

t.test('two templates whose names no label can have are two', async t => {
  const {rig, server, env} = await openShop(t)
  const start = async (name: string, appID: string): Promise<void> => {
    await rig.template([{appID, command: undefined, containerImage: 'test/app:1'}], {}, {name})
    const run = rig.pillion(['run', '-k', '-f', '.'], {env})
    await run.waitForLine('1 app ready')
    run.signal('SIGKILL')
    await run.exited
  }
  await start('商店', 'stock')
  await start('订单', 'orders')
  t.ok(server.objects.has(`${DEPLOYMENTS}/stock`))
  t.ok(server.objects.has(`${DEPLOYMENTS}/orders`))
})
