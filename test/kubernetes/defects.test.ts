/** What Dapr's CLI gets wrong with `-k`, each seen with its version 1.14. */
import t from 'tap'
import {Cluster, skip} from './rig/cluster.ts'
import {component} from '../rig/resource-files.ts'

t.test('what goes wrong with the CLI of Dapr', {skip}, async t => {
  const cluster = await Cluster.open(t)
  const {kube} = cluster.api

  t.test('options, resources and the Configuration reach the cluster', async t => {
    const shop = await cluster.shop(t)
    await shop.rig.write({
      'res/store.yaml': component('store', 'state.in-memory'),
      'config.yaml': JSON.stringify({
        apiVersion: 'dapr.io/v1alpha1',
        kind: 'Configuration',
        metadata: {name: 'tracing'},
        spec: {}
      })
    })
    await shop.template([
      {
        appID: 'stock',
        appPort: 3000,
        logLevel: 'debug',
        appMaxConcurrency: 3,
        resourcesPath: '../res',
        configFilePath: '../config.yaml'
      }
    ])
    const run = shop.run()
    await run.waitForLine('1 app ready')
    await run.waitForLine('Applying Component "store" of')
    const [pod] = await shop.all('v1/pods')
    t.match(pod?.metadata.annotations, {
      'dapr.io/app-port': '3000',
      'dapr.io/log-level': 'debug',
      'dapr.io/app-max-concurrency': '3',
      'dapr.io/config': 'tracing',
      'dapr.io/enable-native-sidecar': 'true',
      'dapr.io/sidecar-liveness-probe-threshold': /^\d+$/
    })
    t.same(await shop.names('dapr.io/v1alpha1/components'), ['store'])
    t.same(await shop.names('dapr.io/v1alpha1/configurations'), ['tracing'])
    run.signal('SIGINT')
    t.same(await run.exited, {code: 0, signal: null})
    t.same(await shop.names('dapr.io/v1alpha1/configurations'), [])
    t.same(await shop.left(), [])
  })

  t.test('a missing image: its reason, exit 1, and everything is taken back', async t => {
    const shop = await cluster.shop(t)
    await shop.template([
      {appID: 'stock'},
      {appID: 'bad', containerImage: 'test/missing:1', createService: true, appPort: 3000}
    ])
    const {code, stderr} = await shop.pillion('run', '-k', '-f', '.')
    t.equal(code, 1)
    t.match(stderr, /❌ {2}"bad" cannot start: ImagePullBackOff, image test\/missing:1\nBack-off pulling image/)
    t.same(await shop.left(), [])
  })

  t.test('an app that exits: its code and last line at once; the fifth time in a row ends the run', async t => {
    const shop = await cluster.shop(t)
    cluster.kubelet.program('test/crash', container => {
      container.log(`start ${container.restarts}\nno such store\n`)
      // a node keeps the lines of two starts: on a busy machine those of the others are never asked for
      container.onRead = () => setTimeout(() => container.exit(3), 10)
    })
    await shop.template([{appID: 'crash', containerImage: 'test/crash:1'}, {appID: 'stock'}])
    const {code, stdout, stderr} = await shop.pillion('run', '-k', '-f', '.')
    t.equal(code, 1)
    t.match(stdout, '❌  "crash" exited with code 3: no such store\n')
    t.match(stderr, '❌  "crash" exited 5 times in a row, last with code 3: no such store\n')
    const starts = [...stdout.matchAll(/== APP - crash == start (\d+)/g)].map(([, number]) => Number(number))
    t.ok(starts.length > 4)
    t.same(
      starts,
      [...new Set(starts)].toSorted((a, b) => a - b),
      'none is shown twice, and all in order'
    )
    t.same(await shop.left(), [])
  })

  t.test('logs go on across restarts, replaced pods and replicas, with lines above 64 KiB', async t => {
    const shop = await cluster.shop(t)
    await shop.template([{appID: 'stock', kubernetes: {replicas: 2}}])
    const run = shop.run()
    await run.waitForLine('1 app ready')
    await run.waitForLine('== APP - stock == started', {nth: 2})
    const [first, second] = cluster.kubelet.podsOf(shop.namespace, 'stock').map(pod => pod.container('stock'))
    first?.log('from one')
    second?.log('from two')
    await run.waitForLine('== APP - stock == from one')
    await run.waitForLine('== APP - stock == from two')
    const long = 'x'.repeat(200_000)
    first?.log(long)
    await run.waitForLine(`== APP - stock == ${long}`)
    first?.log('last words')
    first?.exit(1)
    await run.waitForLine('== APP - stock == last words')
    await run.waitForLine('== APP - stock == started', {nth: 3})
    await kube.must('DELETE', shop.path('v1/pods', second?.pod.object.metadata.name))
    await run.waitForLine('== APP - stock == started', {nth: 4})
    run.signal('SIGINT')
    t.same(await run.exited, {code: 0, signal: null}, 'a deleted pod did not end the run')
    const lines = run.stdout.lines.filter(line => line.startsWith('== APP - stock =='))
    t.equal(lines.length, 8, 'each line once')
    t.same(await shop.left(), [])
  })

  t.test('a second run of an unchanged template changes nothing, and shows the last lines', async t => {
    const shop = await cluster.shop(t)
    await shop.template([{appID: 'stock', appPort: 3000, createService: true, env: {B: '1', A: '2'}}, {appID: 'shop'}])
    const first = shop.run()
    await first.waitForLine('2 apps ready')
    await first.waitForLine('== APP - stock == started')
    const [container] = cluster.kubelet.podsOf(shop.namespace, 'stock').map(pod => pod.container('stock'))
    for (let line = 1; line <= 20; line++) container?.log(`line ${line}.`)
    await first.waitForLine('line 20.')
    first.signal('SIGKILL')
    await first.exited
    const versions = async () =>
      [...(await shop.all('v1/services')), ...(await shop.all('apps/v1/deployments'))].map(
        ({metadata}) => metadata.resourceVersion
      )
    const before = await versions()
    const pods = await shop.names('v1/pods')
    const second = shop.run()
    await second.waitForLine(/2 apps ready after .*, nothing in the cluster had to change/)
    await second.waitForLine('line 20.')
    t.same(await versions(), before)
    t.same(await shop.names('v1/pods'), pods, 'no rollout')
    t.equal(second.stdout.lines.filter(line => line.startsWith('== APP - stock ==')).length, 10)
    container?.log('and more')
    await second.waitForLine('and more')
    second.signal('SIGKILL')
    await second.exited
    t.match(await shop.pillion('stop', '-k', '-f', '.'), {code: 0})
    t.same(await shop.left(), [], 'killed twice, stopped: nothing is left')
  })

  t.test('a pod of the last run that is still ending does not end the next one', async t => {
    const shop = await cluster.shop(t)
    await shop.template([{appID: 'stock'}])
    const first = shop.run()
    await first.waitForLine('1 app ready')
    const held = Promise.withResolvers<void>()
    const ending = Promise.withResolvers<void>()
    cluster.kubelet.onEnd = async () => {
      ending.resolve()
      return held.promise
    }
    first.signal('SIGINT')
    await ending.promise
    first.signal('SIGINT') // at once
    t.same(await first.exited, {code: 0, signal: null})
    const second = shop.run()
    await second.waitForLine('1 app ready')
    await second.waitForLine('== APP - stock == started')
    cluster.kubelet.onEnd = async () => undefined
    held.resolve()
    const [container] = cluster.kubelet.podsOf(shop.namespace, 'stock').map(pod => pod.container('stock'))
    container?.log('still here')
    await second.waitForLine('still here')
    second.signal('SIGINT')
    t.same(await second.exited, {code: 0, signal: null})
    t.same(await shop.left(), [])
  })

  t.test('a run waits for what comes first, until it is ready or completed; a Job is not started again', async t => {
    const shop = await cluster.shop(t)
    const events: string[] = []
    cluster.kubelet.program('test/migrate', container => {
      events.push('migrate')
      container.log('migrated')
      setTimeout(() => container.exit(0), 50)
    })
    cluster.kubelet.program('test/slow', container => {
      events.push('slow starts')
      setTimeout(() => {
        events.push('slow is ready')
        container.ready()
      }, 300)
    })
    cluster.kubelet.program('test/client', container => {
      events.push('client')
      container.isReady = true
    })
    await shop.template([
      {appID: 'client', containerImage: 'test/client:1', dependsOn: ['slow']},
      {appID: 'slow', containerImage: 'test/slow:1', dependsOn: {migrate: 'completed'}},
      {appID: 'migrate', containerImage: 'test/migrate:1'}
    ])
    const run = shop.run()
    await run.waitForLine('3 apps ready')
    await run.waitForLine('"migrate" exited with code 0: migrated')
    t.same(events, ['migrate', 'slow starts', 'slow is ready', 'client'])
    t.same(await shop.names('batch/v1/jobs'), ['migrate'])
    run.signal('SIGINT')
    t.same(await run.exited, {code: 0, signal: null})
    const deleted = run.stdout.lines.filter(line => /Deleting .*(deployment|job)\.yaml/.test(line))
    t.match(deleted, [/client/, /slow/, /migrate/])
    t.same(await shop.left(), [])
  })

  t.test('a Job that fails: what depends on it is not deployed, which is said', async t => {
    const shop = await cluster.shop(t)
    cluster.kubelet.program('test/broken', container => {
      container.log('no such table')
      setTimeout(() => container.exit(4), 10)
    })
    await shop.template([
      {appID: 'client', dependsOn: {broken: 'completed'}},
      {appID: 'broken', containerImage: 'test/broken:1'}
    ])
    const {code, stdout, stderr} = await shop.pillion('run', '-k', '-f', '.')
    t.equal(code, 1)
    t.match(stdout, '❌  "broken" exited with code 4: no such table\n')
    t.match(stderr, '⚠  "client" is not deployed: it depends on broken, which failed\n')
    t.same(await shop.left(), [])
  })

  t.test('a Job that nobody awaits may take its time', async t => {
    const shop = await cluster.shop(t)
    cluster.kubelet.program('test/long', container => {
      container.log('working')
      container.isReady = true
    })
    await shop.template([{appID: 'long', containerImage: 'test/long:1', kubernetes: {job: true}}])
    const run = shop.run()
    await run.waitForLine('1 app ready')
    cluster.kubelet.podsOf(shop.namespace, 'long')[0]?.container('long').exit(0)
    t.same(await run.exited, {code: 0, signal: null}, 'a run of Jobs ends with them')
    t.same(await shop.left(), [])
  })

  t.test('a Job that is replaced while it runs has one pod at a time', async t => {
    const shop = await cluster.shop(t)
    const kept: number[] = []
    cluster.kubelet.program('test/long', container => {
      kept.push(cluster.kubelet.podsOf(shop.namespace, 'long').length)
      container.log('working')
      container.isReady = true
    })
    const template = async (image: string): Promise<void> =>
      shop.template([{appID: 'long', containerImage: image, kubernetes: {job: true}}])
    await template('test/long:1')
    const killed = shop.run()
    await killed.waitForLine('== APP - long == working')
    killed.signal('SIGKILL')
    await killed.exited
    await template('test/long:2')
    const run = shop.run()
    await run.waitForLine('1 app ready')
    t.same(kept, [1, 1])
    run.signal('SIGINT')
    t.same(await run.exited, {code: 0, signal: null})
    t.same(await shop.left(), [])
  })

  t.test('a Deployment that ends with 0 is told how it becomes a Job', async t => {
    const shop = await cluster.shop(t)
    cluster.kubelet.program('test/once', container => {
      container.isReady = true
      container.log('done')
      if (container.restarts === 0) setTimeout(() => container.exit(0), 10)
    })
    await shop.template([{appID: 'once', containerImage: 'test/once:1'}])
    const run = shop.run()
    await run.waitForLine(
      '"once" exited with code 0: done; it will be started again, kubernetes: {job: true} if it is meant to end'
    )
    run.signal('SIGTERM')
    t.same(await run.exited, {code: 0, signal: null})
    t.same(await shop.left(), [])
  })

  t.test('a pod that no node takes: after half a minute the reason, and nothing is left', async t => {
    const shop = await cluster.shop(t)
    cluster.kubelet.unschedulable.add('test/huge:1')
    await shop.template([{appID: 'huge', containerImage: 'test/huge:1'}])
    const {code, stderr} = await shop.pillion('run', '-k', '-f', '.')
    t.equal(code, 1)
    t.match(
      stderr,
      '❌  the cluster cannot run "huge"\n0/1 nodes are available: 1 Insufficient memory.\nWaited 30 s.\n'
    )
    t.same(await shop.left(), [])
  })

  t.test('an app that never becomes ready, and what it waits for', async t => {
    const shop = await cluster.shop(t)
    cluster.kubelet.program('test/never', () => undefined)
    await shop.template([{appID: 'never', containerImage: 'test/never:1'}])
    const {code, stderr} = await shop.pillion('run', '-k', '-f', '.', '--timeout', '3s')
    t.equal(code, 1)
    t.match(stderr, /not ready within 3 s: never\n {2}never: container never runs, but is not ready\n/)
    t.same(await shop.left(), [])
  })

  t.test('what cannot be named as an image', async t => {
    const shop = await cluster.shop(t)
    await shop.template([{appID: 'stock', containerImage: 'Test/STOCK'}])
    const {code, stderr} = await shop.pillion('run', '-k', '-f', '.')
    t.equal(code, 1)
    t.match(
      stderr,
      /❌ {2}"stock" cannot start: InvalidImageName, image Test\/STOCK\ncouldn't parse image name "Test\/STOCK"/
    )
    t.same(await shop.left(), [])
  })

  t.test('an injector that is down is said, and nothing is left', async t => {
    const shop = await cluster.shop(t)
    await shop.template([{appID: 'stock'}])
    cluster.injector.close()
    const {code, stderr} = await shop.pillion('run', '-k', '-f', '.')
    t.equal(code, 1)
    t.match(
      stderr,
      /❌ {2}Dapr did not add a sidecar to "stock" \(pod stock-\S+\)\nIts injector was not asked, or is down\./
    )
    t.same(await shop.left(), [])
  })
})

t.test('a cluster without Dapr: said before anything is made', {skip}, async t => {
  const cluster = await Cluster.open(t, {withDapr: false})
  const shop = await cluster.shop(t)
  await shop.template([{appID: 'stock', appPort: 3000, createService: true}])
  const {code, stderr} = await shop.pillion('run', '-k', '-f', '.')
  t.equal(code, 1)
  t.match(stderr, /❌ {2}Dapr is not installed in the cluster of the Kubernetes context "kind-test"\nInstall it/)
  t.same(await shop.names('v1/services'), [])
  t.same(await shop.names('apps/v1/deployments'), [])
})
