/** A run on a cluster whose API server misbehaves. */
import {readFileSync, readdirSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openShop} from '../rig/cluster-shop.ts'

const isWatch = (asked: string): boolean => asked.endsWith('?watch')

t.test('watches that end, in whatever way, go on; no line is lost or shown twice', async t => {
  const {server, run: start} = await openShop(t)
  const run = start()
  await run.waitForLine('1 app ready')
  await run.waitForLine('== APP - stock == started')
  for (const how of ['end', 'gone', 'cut'] as const) {
    const open = server.endWatches(how)
    t.equal(open, 2, 'one watch for all pods, one for all Deployments')
    await server.watching(open)
  }
  server.remove('/api/v1/namespaces/shop/pods/stock-1')
  server.save('/api/v1/namespaces/shop/pods/stock-2', {
    metadata: {name: 'stock-2', labels: {app: 'stock', 'pillion/template': 'shop'}},
    spec: {containers: [{name: 'stock'}, {name: 'daprd'}]},
    status: {
      containerStatuses: [
        {
          name: 'stock',
          ready: true,
          restartCount: 0,
          image: '',
          containerID: 'fake://2',
          state: {running: {startedAt: ''}}
        }
      ]
    }
  })
  await run.waitForLine('Streaming logs for containers in pod "stock-2"')
  run.signal('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  t.same(
    [...server.objects.keys()].filter(path => !path.includes('/pods/')),
    []
  )
})

t.test('a server that goes away while a run is under way: said once, and once when it is back', async t => {
  const {server, run: start} = await openShop(t)
  const run = start()
  await run.waitForLine('1 app ready')
  await server.close()
  await run.waitForLine('the API server does not answer', {stream: 'stderr'})
  await server.open()
  await run.waitForLine('the API server answers again', {stream: 'stderr'})
  t.equal(run.stderr.lines.filter(line => line.includes('API server')).length, 2)
  run.signal('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  t.same([...server.objects.keys()], [])
})

t.test('Ctrl-C while the server is away says so; a second one waits no longer', async t => {
  const {server, run: start} = await openShop(t)
  const run = start()
  await run.waitForLine('1 app ready')
  await server.close()
  run.signal('SIGINT')
  await run.waitForLine('the API server does not answer', {stream: 'stderr'})
  run.signal('SIGINT')
  t.same(await run.exited, {code: 1, signal: null})
  t.match(run.stderr.text, '❌  cannot reach the API server')
})

t.test('a second Ctrl-C does not wait for the answer of a server that hangs', async t => {
  const {server, run: start} = await openShop(t)
  const run = start()
  await run.waitForLine('1 app ready')
  const asked = Promise.withResolvers<void>()
  server.answer = ({method, query}) => {
    if (method !== 'GET' || query.has('watch')) return undefined
    asked.resolve()
    return 'never'
  }
  run.signal('SIGINT')
  // two signals of one kind that wait for a process are one
  await run.waitForLine('Received signal to stop')
  await asked.promise
  const since = performance.now()
  run.signal('SIGINT')
  t.same(await run.exited, {code: 1, signal: null})
  t.match(run.stderr.text, 'no answer within 5 s')
  t.ok(performance.now() - since < 40_000, 'else it waits for a minute')
})

t.test('a server that is away for a moment while all is taken back', async t => {
  const {server, run: start} = await openShop(t)
  const run = start()
  await run.waitForLine('1 app ready')
  const answers = ['gone', {code: 500}] as const
  let asked = 0
  server.answer = ({method, path, query}) =>
    method === 'GET' && !query.has('watch') && path.endsWith('/pods') ? answers[asked++] : undefined
  run.signal('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  t.equal(asked, 3)
  t.same([...server.objects.keys()], [])
})

t.test('where the apps of a killed run are still there, resources come first, too', async t => {
  const {rig, server, run: start} = await openShop(t, [{appID: 'stock', resourcesPath: '../res'}])
  const spec = {type: 'state.redis', version: 'v1', metadata: []}
  await rig.write({
    'res/store.yaml': JSON.stringify({
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'Component',
      metadata: {name: 'store'},
      spec
    })
  })
  const killed = start()
  await killed.waitForLine('1 app ready')
  killed.signal('SIGKILL')
  await killed.exited
  server.asked.length = 0
  const run = start()
  await run.waitForLine('1 app ready')
  t.match(
    server.asked.filter(asked => asked.startsWith('PATCH') && !asked.endsWith('?dryRun')),
    [/components\/store$/, /deployments\/stock$/]
  )
  run.signal('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
})

t.test('what a killed run left goes while the resources are applied: the run continues', async t => {
  const {rig, server, run: start} = await openShop(t, [{appID: 'stock', resourcesPath: '../res'}])
  const metadata = {name: 'store'}
  const store = {apiVersion: 'dapr.io/v1alpha1', kind: 'Component', metadata, spec: {type: 'state.in-memory'}}
  await rig.write({'res/store.yaml': JSON.stringify({...store, spec: {...store.spec, version: 'v1', metadata: []}})})
  const killed = start()
  await killed.waitForLine('1 app ready')
  killed.signal('SIGKILL')
  await killed.exited
  let isGone = false
  server.answer = ({method, path, query}) => {
    if (isGone || method !== 'PATCH' || query.has('dryRun') || !path.endsWith('/store')) return undefined
    isGone = true
    server.remove('/apis/apps/v1/namespaces/shop/deployments/stock')
    return {code: 503} // it is applied a moment later
  }
  const run = start()
  await run.waitForLine('1 app ready')
  run.signal('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  t.same([...server.objects.keys()], [])
})

t.test('a Job that is evicted: why, and exit code 1', async t => {
  const {server, run: start} = await openShop(t, [{appID: 'migrate', kubernetes: {job: true}}])
  const run = start()
  await run.waitForLine('Deploying app "migrate" to Kubernetes')
  await server.applied('/apis/batch/v1/namespaces/shop/jobs/migrate')
  server.save('/api/v1/namespaces/shop/pods/migrate-1', {
    metadata: {name: 'migrate-1', labels: {app: 'migrate', 'pillion/template': 'shop'}},
    spec: {containers: [{name: 'migrate'}, {name: 'daprd'}]},
    status: {phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.'}
  })
  await run.waitForLine('Streaming logs for containers in pod "migrate-1"')
  server.save('/apis/batch/v1/namespaces/shop/jobs/migrate', {
    kind: 'Job',
    metadata: {name: 'migrate', labels: {app: 'migrate', 'pillion/template': 'shop'}},
    status: {failed: 1}
  })
  t.same(await run.exited, {code: 1, signal: null})
  t.equal(run.stderr.text, '⚠  "migrate" failed: The node was low on memory.\n')
})

t.test('an app that is given up names what failed, and nothing that runs', async t => {
  const dependsOn = {stock: 'ready', migrate: 'completed'}
  const {server, run: start} = await openShop(t, [{appID: 'stock'}, {appID: 'migrate'}, {appID: 'web', dependsOn}])
  const run = start()
  await run.waitForLine('Deploying app "migrate" to Kubernetes')
  await server.applied('/apis/batch/v1/namespaces/shop/jobs/migrate')
  server.save('/apis/batch/v1/namespaces/shop/jobs/migrate', {
    kind: 'Job',
    metadata: {name: 'migrate', labels: {app: 'migrate', 'pillion/template': 'shop'}},
    status: {failed: 1}
  })
  await run.waitForLine('1 app ready')
  run.signal('SIGINT')
  t.match(await run.exited, {code: 1})
  t.match(run.stderr.text, '"web" is not deployed: it depends on migrate, which failed')
})

t.test('stop elsewhere: what an app prints at SIGTERM is shown and filed', async t => {
  const {rig, server, env, run: start} = await openShop(t)
  server.hasGrace = true
  const run = start()
  await run.waitForLine('== APP - stock == started')
  const stop = rig.pillion(['stop', '-k', '-f', '.'], {env})
  await server.watching(4) // two of the run, and both wait until the pods are gone
  const pod = '/api/v1/namespaces/shop/pods/stock-1'
  server.print(pod, 'my last words')
  await run.waitForLine('== APP - stock == my last words')
  server.remove(pod)
  t.match(await stop.exited, {code: 0})
  t.match(await run.exited, {code: 0})
  const logs = join(rig.folder, 'stock/.dapr/logs')
  const files = readdirSync(logs).map(file => readFileSync(join(logs, file), 'utf8'))
  t.ok(files.some(text => text.includes('my last words')))
})

t.test('a Deployment that is deleted by hand leaves its Service: it is named until it is gone', async t => {
  const {server, run: start} = await openShop(t, [{appID: 'stock', createService: true, appPort: 3000}])
  const run = start()
  await run.waitForLine('1 app ready')
  server.remove('/apis/apps/v1/namespaces/shop/deployments/stock')
  server.remove('/api/v1/namespaces/shop/pods/stock-1')
  await run.waitForLine('waiting until it is gone: Service "stock" (stop -k deletes it)', {stream: 'stderr'})
  server.remove('/api/v1/namespaces/shop/services/stock')
  t.same(await run.exited, {code: 0, signal: null})
})

t.test('a token that has expired while a run is under way is fetched anew', async t => {
  const {rig, server, run: start} = await openShop(t)
  const credential = `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'$(cat token)'"}}`
  await rig.write({
    token: 'old',
    config: server.kubeconfig({exec: {command: 'sh', args: ['-c', `cd ${rig.folder} && echo '${credential}'`]}})
  })
  let valid = 'old'
  server.answer = ({token}) => (token === valid ? undefined : {code: 401})
  const run = start()
  await run.waitForLine('1 app ready')
  valid = 'new'
  await rig.write({token: 'new'})
  server.endWatches()
  run.signal('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  t.same([...server.objects.keys()], [])
  t.equal(run.stderr.text, '')
})

t.test('an app that never becomes ready, and what it waits for', async t => {
  const {server, run: start} = await openShop(t, [{appID: 'stock'}, {appID: 'shop', dependsOn: ['stock']}])
  server.hasPods = false
  server.answer = ({method, path, query}) => {
    if (method !== 'PATCH' || query.has('dryRun') || !path.includes('deployments')) return undefined
    return {
      code: 201,
      body: server.save(path, {
        kind: 'Deployment',
        metadata: {name: 'stock', labels: {app: 'stock', 'pillion/template': 'shop'}}
      })
    }
  }
  const run = start('--timeout', '200ms')
  t.same(await run.exited, {code: 1, signal: null})
  t.match(
    run.stderr.text,
    '❌  not ready within 0.2 s: stock, shop\n  stock: no pod was made\n  shop: waits for stock\nGive them more time with --timeout.\n'
  )
  t.same([...server.objects.keys()], [])
})

t.test('a server that fails while objects are applied: all is taken back', async t => {
  const {server, run: start} = await openShop(t, [
    {appID: 'stock', createService: true, appPort: 3000},
    {appID: 'shop'}
  ])
  server.answer = ({method, path, query}) =>
    method === 'PATCH' && !query.has('dryRun') && path.endsWith('deployments/shop') ? {code: 500} : undefined
  const run = start()
  t.same(await run.exited, {code: 1, signal: null})
  t.match(
    run.stderr.text,
    '❌  the API server of the Kubernetes context "kind-fake" could not apply Deployment "shop" (status 500)\nfake 500\n'
  )
  t.same([...server.objects.keys()], [])
})

const component = (name: string): string =>
  JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Component',
    metadata: {name},
    spec: {type: 'state.redis', version: 'v1', metadata: []}
  })

t.test('a resource that is under way while another one is refused is taken back, too', async t => {
  const {rig, server, run: start} = await openShop(t, [{appID: 'stock', resourcesPath: '../res'}])
  await rig.write({'res/a.yaml': component('slow'), 'res/b.yaml': component('bad')})
  const listed = Promise.withResolvers<void>()
  let isRefused = false
  server.answer = async ({method, path, query}) => {
    if (isRefused && method === 'GET' && path.endsWith('/components')) listed.resolve()
    if (method !== 'PATCH' || query.has('dryRun')) return undefined
    if (path.endsWith('/bad')) {
      isRefused = true
      return {code: 500}
    }
    // the other one comes to the server when all is taken back, if nothing waits for it
    await Promise.race([listed.promise, new Promise(resolve => setTimeout(resolve, 1000))])
    return undefined
  }
  const run = start()
  t.same(await run.exited, {code: 1, signal: null})
  t.match(run.stderr.text, 'could not apply Component "bad" (status 500)')
  t.same([...server.objects.keys()], [])
})

t.test('what may not be deleted keeps none of the others', async t => {
  const {server, run: start} = await openShop(t, [
    {appID: 'stock', createService: true, appPort: 3000},
    {appID: 'shop', createService: true, appPort: 3000, dependsOn: ['stock']}
  ])
  const run = start()
  await run.waitForLine('2 apps ready')
  const service = '/api/v1/namespaces/shop/services/shop'
  server.answer = ({method, path}) => (method === 'DELETE' && path === service ? {code: 403} : undefined)
  run.signal('SIGINT')
  t.same(await run.exited, {code: 1, signal: null})
  t.match(run.stderr.text, 'you may not delete Service "shop" in the Kubernetes context "kind-fake"')
  t.same([...server.objects.keys()], [service])
})

t.test('a kind that the cluster does not know, and a conflict', async t => {
  const {rig, server, env} = await openShop(t, [{appID: 'stock', resourcesPath: '../res'}])
  await rig.write({
    'res/endpoint.yaml': JSON.stringify({
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'HTTPEndpoint',
      metadata: {name: 'web'},
      spec: {baseUrl: 'http://example.test'}
    })
  })
  const unknown = await rig.run(['run', '-k', '-f', '.'], {env})
  t.match(unknown, {code: 1, stderr: /the cluster does not know the kind HTTPEndpoint of dapr\.io\/v1alpha1.*\n/})
  await rig.write({'res/endpoint.yaml': ''})
  server.answer = ({method}) => (method === 'PATCH' ? {code: 409} : undefined)
  const changed = await rig.run(['run', '-k', '-f', '.'], {env})
  t.match(changed, {code: 1, stderr: /Deployment "stock" was changed at the same time: try again/})
  t.same([...server.objects.keys()], [])
})

t.test('200 apps: one watch for all, and little memory', async t => {
  const apps = Array.from({length: 200}, (_, index) => ({appID: `app-${index}`, appDirPath: '.'}))
  const {server, run: start} = await openShop(t, apps)
  const run = start()
  await run.waitForLine('200 apps ready')
  await run.waitForLine(/== APP - app-\d+ == started/, {nth: 200})
  t.equal(server.asked.filter(isWatch).length, 2)
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${run.pid}/status`, 'utf8'))?.[1])
  t.comment(`${Math.round(rss / 1024)} MiB`)
  run.signal('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  t.same([...server.objects.keys()], [])
})

t.test('flags that belong to Kubernetes, and others that do not', async t => {
  const {rig, env} = await openShop(t)
  const told = async (args: readonly string[], message: string | RegExp): Promise<void> => {
    const {code, stderr} = await rig.run(args, {env})
    t.not(code, 0)
    t.match(stderr, message, args.join(' '))
  }
  await told(['run', '-f', '.', '--dry-run'], '--dry-run is for Kubernetes: add --kubernetes')
  await told(
    ['run', '-k', '--', 'sleep', '1'],
    'a single app cannot run on Kubernetes: name a run template with --run-file'
  )
  for (const flag of ['--watch', '--lazy', '--isolated', '--forget', '--dashboard', '--no-record', '--strict-ports'])
    await told(['run', '-k', '-f', '.', flag], `${flag} is not supported with --kubernetes: leave it out`)
  for (const flag of ['--name', '--allowed-origins'])
    await told(['run', '-k', '-f', '.', flag, 'x'], `${flag} is not supported with --kubernetes: leave it out`)
  await told(['run', '-k', '-f', '.', '--timeout', 'soon'], 'invalid argument "soon" for "--timeout" flag')
  for (const flag of ['--grep=x', '--since=1m', '--timestamps', '--name=x', '--version=1', '--run-file=.'])
    await told(
      ['logs', '-k', 'stock', '--app', flag],
      /^❌ {2}--[\w-]+ is not supported with --kubernetes: leave it out\n$/
    )
  await told(['logs', '-k', 'stock', 'shop', '--app'], 'logs -k takes the id of one app')
  for (const flag of ['--name=x', '--version=1'])
    await told(['stop', '-k', 'stock', flag], /^❌ {2}--\w+ is not supported with --kubernetes: leave it out\n$/)
  await told(['stop', '-k'], 'nothing to stop: add --run-file PATH, or the ids of apps')
})

t.test('stop -k: Ctrl-C does not wait a minute for a server that hangs', async t => {
  const {rig, server, env} = await openShop(t)
  const asked = Promise.withResolvers<void>()
  server.answer = ({path}) => {
    if (!path.endsWith('/deployments')) return undefined
    asked.resolve()
    return 'never'
  }
  const stop = rig.pillion(['stop', '-k', '-f', '.'], {env})
  await asked.promise
  const since = performance.now()
  stop.signal('SIGINT')
  t.same(await stop.exited, {code: 1, signal: null})
  t.match(stop.stderr.text, 'no answer within 5 s')
  t.ok(performance.now() - since < 40_000, 'else it waits for a minute')
})
