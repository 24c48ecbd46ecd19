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
    await run.waitForLine('component.dapr.io/store serverside-applied')
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
    t.same(await run.end('SIGINT'), {code: 0, signal: null})
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
    t.match(stderr, /❌ {2}"bad" cannot start: ImagePullBackOff: Back-off pulling image "test\/missing:1"/)
    t.same(await shop.left(), [])
  })

  t.test('a missing image of a Job that nobody awaits ends the run', async t => {
    const shop = await cluster.shop(t)
    await shop.template([{appID: 'once', containerImage: 'test/missing:1', kubernetes: {job: true}}])
    const {code, stderr} = await shop.pillion('run', '-k', '-f', '.')
    t.equal(code, 1)
    t.match(stderr, '❌  "once" cannot start: ImagePullBackOff')
    t.same(await shop.left(), [])
  })

  t.test('an app that exits: its lines and code at once, in order and once', async t => {
    const shop = await cluster.shop(t)
    cluster.kubelet.program('test/crash', container => {
      container.log(`start ${container.restarts}\nno such store\n`)
      // a node keeps the lines of two starts: on a busy machine those of the others are never asked for
      container.onRead = () => setTimeout(() => container.exit(3), 10)
    })
    await shop.template([{appID: 'crash', containerImage: 'test/crash:1'}, {appID: 'stock'}])
    const run = shop.run()
    await run.waitForLine('❌  "crash" exited with code 3')
    await run.waitForLine('== APP - crash == start 3')
    await run.waitForLine('== APP - crash == no such store', {nth: 4})
    t.same(await run.end('SIGINT'), {code: 0, signal: null})
    const starts = [...run.stdout.text.matchAll(/== APP - crash == start (\d)/g)].map(([, number]) => number)
    t.same(starts.slice(0, 4), ['0', '1', '2', '3'])
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
    t.same(await run.end('SIGINT'), {code: 0, signal: null}, 'a deleted pod did not end the run')
    const lines = run.stdout.lines.filter(line => line.startsWith('== APP - stock =='))
    t.equal(lines.length, 8, 'each line once')
    t.equal(run.stderr.text, '')
    t.same(await shop.left(), [])
  })

  t.test('a second run of an unchanged template changes nothing, and shows the lines of the last minute', async t => {
    const shop = await cluster.shop(t)
    await shop.template([{appID: 'stock', appPort: 3000, createService: true, env: {B: '1', A: '2'}}, {appID: 'shop'}])
    const first = shop.run()
    await first.waitForLine('2 apps ready')
    await first.waitForLine('== APP - stock == started')
    const [container] = cluster.kubelet.podsOf(shop.namespace, 'stock').map(pod => pod.container('stock'))
    container?.log('a line')
    await first.waitForLine('a line')
    await first.end('SIGKILL')
    const versions = async () =>
      [...(await shop.all('v1/services')), ...(await shop.all('apps/v1/deployments'))].map(
        ({metadata}) => metadata.resourceVersion
      )
    const before = await versions()
    const pods = await shop.names('v1/pods')
    const second = shop.run()
    await second.waitForLine('2 apps ready')
    await second.waitForLine('a line')
    t.same(await versions(), before)
    t.same(await shop.names('v1/pods'), pods, 'no rollout')
    container?.log('and more')
    await second.waitForLine('and more')
    await second.end('SIGKILL')
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
    t.same(await second.end('SIGINT'), {code: 0, signal: null})
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
    await run.waitForLine('"migrate" exited with code 0')
    t.same(events, ['migrate', 'slow starts', 'slow is ready', 'client'])
    t.same(await shop.names('batch/v1/jobs'), ['migrate'])
    t.same(await run.end('SIGINT'), {code: 0, signal: null})
    const deleted = run.stdout.lines.filter(line => /(deployment|job)\S* \S+ deleted$/.test(line))
    t.match(deleted, [/client/, /slow/, /migrate/])
    t.same(await shop.left(), [])
  })

  t.test('a Job that fails ends the run with its exit code', async t => {
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
    t.match(stdout, '== APP - broken == no such table\n')
    t.match(stdout, '❌  "broken" exited with code 4\n')
    t.match(stderr, '❌  the Job "broken" failed with exit code 4\n')
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
    await run.waitForLine('== APP - long == working') // its pod may come later
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
    await killed.end('SIGKILL')
    await template('test/long:2')
    const run = shop.run()
    await run.waitForLine('== APP - long == working')
    t.same(kept, [1, 1])
    t.same(await run.end('SIGINT'), {code: 0, signal: null})
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
    await run.waitForLine('"once" exited with code 0; kubernetes: {job: true} if it is meant to end')
    t.same(await run.end(), {code: 0, signal: null})
    t.same(await shop.left(), [])
  })

  t.test('a pod that no node takes: the reason at once, and nothing is left', async t => {
    const shop = await cluster.shop(t)
    cluster.kubelet.unschedulable.add('test/huge:1')
    await shop.template([{appID: 'huge', containerImage: 'test/huge:1'}])
    const {code, stderr} = await shop.pillion('run', '-k', '-f', '.', '--timeout', '3s')
    t.equal(code, 1)
    t.match(stderr, '⚠  no node takes "huge": 0/1 nodes are available: 1 Insufficient memory.\n')
    t.match(stderr, '❌  not ready in time: huge\nTo give the apps more time: --timeout.')
    t.same(await shop.left(), [])
  })

  t.test('an app that never becomes ready', async t => {
    const shop = await cluster.shop(t)
    cluster.kubelet.program('test/never', () => undefined)
    await shop.template([{appID: 'never', containerImage: 'test/never:1'}])
    const {code, stdout, stderr} = await shop.pillion('run', '-k', '-f', '.', '--timeout', '3s')
    t.equal(code, 1)
    t.match(stdout, 'Waiting for deployment "never" rollout to finish: 0 of 1 updated replicas are available...\n')
    t.match(stderr, '❌  not ready in time: never\nTo give the apps more time: --timeout.')
    t.same(await shop.left(), [])
  })

  t.test('what cannot be named as an image', async t => {
    const shop = await cluster.shop(t)
    await shop.template([{appID: 'stock', containerImage: 'Test/STOCK'}])
    const {code, stderr} = await shop.pillion('run', '-k', '-f', '.')
    t.equal(code, 1)
    t.match(stderr, '❌  "stock" cannot start: InvalidImageName: couldn\'t parse image name "Test/STOCK"\n')
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
      /❌ {2}Dapr did not add a sidecar to "stock" \(pod stock-\S+\): its injector was not asked, or is down\./
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
