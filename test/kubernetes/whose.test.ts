/** Whose cluster, whose objects. */
import {readFileSync} from 'node:fs'
import t from 'tap'
import {Cluster, skip} from './rig/cluster.ts'
import {component} from '../rig/resource-files.ts'

const foreign = (name: string, labels: Readonly<Record<string, string>>): unknown => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {name, labels},
  spec: {
    selector: {matchLabels: {app: name}},
    template: {metadata: {labels: {app: name}}, spec: {containers: [{name: 'main', image: 'test/other'}]}}
  }
})

t.test('whose cluster, whose objects', {skip}, async t => {
  const cluster = await Cluster.open(t)
  const {kube} = cluster.api

  t.test('everything goes to one namespace: that of -n, else of the context', async t => {
    const shop = await cluster.shop(t)
    const other = await cluster.api.namespace()
    await shop.template([{appID: 'stock', appPort: 3000, createService: true}])
    const run = shop.run('-n', other)
    await run.waitForLine('1 app ready')
    t.same(await shop.left(), [])
    t.match(await shop.pillion('stop', '-k', 'stock', '-n', other), {
      code: 0,
      stdout: /deployment\.apps "stock" deleted\n.*service "stock" deleted\n/
    })
    t.same(await run.exited, {code: 0, signal: null})
  })

  t.test('a cluster that is not on this machine needs a yes', async t => {
    const shop = await cluster.shop(t, {context: 'production'})
    await shop.template([{appID: 'stock'}])
    // its address is of this machine, so that only the name of the host differs
    const path = shop.env['KUBECONFIG'] ?? ''
    const config = readFileSync(path, 'utf8').replace('127.0.0.1', 'cluster.example.test')
    await shop.rig.write({'remote.yaml': config})
    const env = {KUBECONFIG: `${shop.rig.folder}/remote.yaml`}
    const asked = await shop.rig.run(['run', '-k', '-f', '.'], {env})
    t.equal(asked.code, 1)
    t.match(
      asked.stderr,
      /❌ {2}this would run a template in a cluster that is not on this machine: context "production", server https:\/\/cluster\.example\.test:\d+, namespace "test-\w+"\n--yes agrees to it\./
    )
    const stopped = await shop.rig.run(['stop', '-k', '-f', '.'], {env})
    t.match(stopped, {
      code: 1,
      stderr: /this would delete what a template made in a cluster that is not on this machine/
    })
    const yes = await shop.rig.run(['run', '-k', '-f', '.', '--yes'], {env})
    t.match(yes, {code: 1, stderr: /❌ {2}kubectl: .*cluster\.example\.test/s}, 'the server is asked then')
  })

  t.test('objects of others are neither taken over nor deleted', async t => {
    const shop = await cluster.shop(t)
    await kube.must('POST', shop.path('apps/v1/deployments'), foreign('stock', {}))
    await kube.must('POST', shop.path('apps/v1/deployments'), foreign('shop', {'app.kubernetes.io/managed-by': 'Helm'}))
    await shop.template([{appID: 'stock'}, {appID: 'shop'}, {appID: 'new', appPort: 3000, createService: true}])
    const run = await shop.pillion('run', '-k', '-f', '.')
    t.equal(run.code, 1)
    t.match(run.stderr, /Deployment "stock" exists in the namespace "test-\w+" and belongs to someone else/)
    t.match(
      run.stderr,
      /Deployment "shop" exists in the namespace "test-\w+" and belongs to "Helm"\nRename it in the template/
    )
    t.same(await shop.names('v1/services'), [], 'nothing was made')
    t.match(await shop.pillion('stop', '-k', '-f', '.'), {code: 0})
    t.same(await shop.names('apps/v1/deployments'), ['shop', 'stock'])
  })

  t.test('a field that someone else manages is not forced', async t => {
    const shop = await cluster.shop(t)
    await shop.template([{appID: 'stock', kubernetes: {replicas: 1}}])
    const run = shop.run()
    await run.waitForLine('1 app ready')
    const scaled = {apiVersion: 'autoscaling/v1', kind: 'Scale', spec: {replicas: 2}}
    await kube.must(
      'PATCH',
      `${shop.path('apps/v1/deployments', 'stock')}/scale?fieldManager=autoscaler`,
      scaled,
      'application/merge-patch+json'
    )
    await run.waitForLine('== APP - stock == started', {nth: 2})
    const second = await shop.pillion('run', '-k', '-f', '.')
    t.equal(second.code, 1)
    t.match(second.stderr, /kubectl: .*Apply failed with 1 conflict: conflict with "autoscaler".*\.spec\.replicas/)
    await shop.template([{appID: 'stock'}])
    const third = shop.run()
    await third.waitForLine('1 app ready')
    t.equal((await shop.all('apps/v1/deployments'))[0]?.spec.replicas, 2, 'without a number in the template it stays')
    t.same(await third.end('SIGINT'), {code: 0, signal: null})
    t.same(await run.exited, {code: 0, signal: null}, 'both had the same objects')
  })

  t.test('what the API server refuses is told with its file, all at once, and nothing is made', async t => {
    const shop = await cluster.shop(t)
    await shop.rig.write({'res/odd.yaml': component('odd', 'state.in-memory', {}, {unheardOf: 1})})
    await shop.template([
      {appID: 'stock', resourcesPath: '../res', createService: true, appPort: 3000},
      {appID: 'shop', kubernetes: {patch: {spec: {template: {spec: {containers: null}}}}}}
    ])
    const {code, stderr} = await shop.pillion('run', '-k', '-f', '.')
    t.equal(code, 1)
    t.match(stderr, /Kind=Component\): \.spec\.unheardOf: field not declared in schema/)
    t.match(stderr, /Deployment\.apps "shop" is invalid: .*containers/)
    t.match(stderr, /Component "odd" is in res\/odd\.yaml\nThe template cannot be deployed; nothing was created\.\n/)
    t.same(await shop.left(), [])
  })

  t.test('what the template does not have any more is deleted at the next run, and nothing of another one', async t => {
    const shop = await cluster.shop(t)
    const gate = {appID: 'gate', appDirPath: '.', containerImage: 'test/gate:1'}
    await shop.rig.write({'depot/dapr.yaml': JSON.stringify({version: 1, name: 'depot', apps: [gate]})})
    const depot = shop.rig.pillion(['run', '-k', '-f', 'depot'], {env: shop.env})
    await depot.waitForLine('1 app ready')
    await shop.template([{appID: 'stock'}, {appID: 'old', appPort: 3000, createService: true}])
    const first = shop.run()
    await first.waitForLine('2 apps ready')
    await first.end('SIGKILL')
    await shop.template([{appID: 'stock', env: {A: '1'}}, {appID: 'new'}])
    const second = shop.run()
    await second.waitForLine('service "old" deleted')
    await second.waitForLine('2 apps ready')
    t.same(await shop.names('apps/v1/deployments'), ['gate', 'new', 'stock'])
    t.same(await second.end('SIGINT'), {code: 0, signal: null})
    t.same(await shop.names('apps/v1/deployments'), ['gate'])
    t.same(await depot.end('SIGINT'), {code: 0, signal: null})
    t.same(await shop.left(), [])
  })

  t.test('rights that are missing are named before anything is made', async t => {
    const shop = await cluster.shop(t, {user: true})
    await shop.template([{appID: 'stock'}])
    const {code, stderr} = await shop.pillion('run', '-k', '-f', '.')
    t.equal(code, 1)
    t.match(stderr, /❌ {2}kubectl: Error from server \(Forbidden\): deployments\.apps "stock" is forbidden/)
    const list = await shop.pillion('list', '-k')
    t.match(list, {code: 1, stderr: /Error from server \(Forbidden\): pods is forbidden/})
  })

  t.test('a namespace that is not there', async t => {
    const shop = await cluster.shop(t)
    await shop.template([{appID: 'stock'}])
    const {code, stderr} = await shop.pillion('run', '-k', '-f', '.', '-n', 'nowhere')
    t.equal(code, 1)
    t.match(stderr, /kubectl: Error from server \(NotFound\): namespaces "nowhere" not found/)
  })
})
