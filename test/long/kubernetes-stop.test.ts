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
