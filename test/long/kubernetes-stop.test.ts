import t from 'tap'
import {openShop} from '../rig/cluster-shop.ts'

t.test('stop -k takes back what a template has made that cannot be loaded any more', async t => {
  const {rig, env, server, run: start} = await openShop(t)
  const killed = start()
  await killed.waitForLine('1 app ready')
  killed.signal('SIGKILL')
  await killed.exited
  await rig.write({'dapr.yaml': 'name: shop\nversion: 1\napps: [{appID: stock, appDirPath: gone, appPort: none}]\n'})
  t.match(await rig.run(['stop', '-k', '-f', '.'], {env}), {code: 0, stderr: ''})
  t.same([...server.objects.keys()], [])
})

t.test('stop -k takes the files of a run, the first of which names it', async t => {
  const {rig, env, server} = await openShop(t)
  await rig.write({'more.yaml': 'apps: [{appID: stock, env: {A: "1"}}]\n'})
  const files = ['-f', 'dapr.yaml', '-f', 'more.yaml']
  const deployed = async (): Promise<void> => {
    const killed = rig.pillion(['run', '-k', ...files], {env})
    await killed.waitForLine('1 app ready')
    killed.signal('SIGKILL')
    await killed.exited
  }
  await deployed()
  t.match(await rig.run(['stop', '-k', ...files], {env}), {code: 0, stderr: ''})
  t.same([...server.objects.keys()], [])
  await deployed()
  await rig.write({'more.yaml': 'apps: [{appID: stock, appPort: none}]\n'})
  t.match(await rig.run(['stop', '-k', ...files], {env}), {code: 0, stderr: ''}, 'also if they have a mistake by now')
  t.same([...server.objects.keys()], [])
})

t.test('stop -k of an app leaves the resources of Dapr to the others, whatever labels they have', async t => {
  const {rig, env, server} = await openShop(t, [{appID: 'stock'}, {appID: 'shop'}])
  const save = (path: string, kind: string, name: string, app: string): string => {
    const labels = {app, 'pillion/template': 'shop', 'app.kubernetes.io/managed-by': 'pillion'}
    server.save(`${path}/${name}`, {kind, metadata: {name, labels}})
    return `${path}/${name}`
  }
  for (const args of [['-f', '.'], []]) {
    const store = save('/apis/dapr.io/v1alpha1/namespaces/shop/components', 'Component', 'store', 'stock')
    const [shop] = ['shop', 'stock'].map(app =>
      save('/apis/apps/v1/namespaces/shop/deployments', 'Deployment', app, app)
    )
    t.match(await rig.run(['stop', '-k', 'stock', ...args], {env}), {code: 0, stderr: ''})
    t.strictSame([...server.objects.keys()], [store, shop])
  }
})
