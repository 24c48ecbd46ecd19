import t from 'tap'
import {Cluster, skip} from './rig/cluster.ts'

t.test('reading a cluster', {skip}, async t => {
  const cluster = await Cluster.open(t)

  t.test('list and logs find sidecars, also among init containers', async t => {
    for (const isNative of [false, true]) {
      cluster.injector.isNative = isNative
      const shop = await cluster.shop(t)
      await shop.template([{appID: 'stock', appPort: 3000}])
      const run = shop.run()
      await run.waitForLine('== APP - stock == started')
      const {stdout, stderr, code} = await shop.pillion('list', '-k', '--namespace', shop.namespace, '-o', 'json')
      const [row] = JSON.parse(stdout) as readonly Record<string, string>[]
      t.match(row, {namespace: shop.namespace, appId: 'stock', appPort: '3000', age: /^\d+s$/, created: /^\d{4}-/})
      t.same({code, stderr}, {code: 0, stderr: ''}, 'nothing but JSON')
      const table = await shop.pillion('list', '-k', '--namespace', shop.namespace)
      t.match(table.stdout, /^NAMESPACE +APP ID +APP PORT +AGE +CREATED +\n\S+ +stock +3000 /)
      const logs = await shop.pillion('logs', '-k', '-a', 'stock')
      t.match(logs, {code: 0, stdout: /dapr initialized[^\n]*\n✅ {2}Fetched logs\n$/, stderr: ''})
      const own = await shop.pillion('logs', '-k', '-a', 'stock', '--app', '--tail', '1')
      t.match(own, {code: 0, stdout: '== APP - stock == started\n'})
      const none = await shop.pillion('logs', '-k', '-a', 'none')
      t.match(none, {
        code: 1,
        stderr: `❌  could not get logs. Please check app-id (none) and namespace (${shop.namespace})\n`
      })
      t.match(await shop.pillion('stop', '-k', '-f', '.'), {code: 0, stderr: ''})
      t.same(await run.exited, {code: 0, signal: null}, 'a stop elsewhere ends the run')
      t.same(await shop.left(), [])
      t.match(await shop.pillion('stop', '-k', '-f', '.'), {code: 0, stderr: /there is nothing of the run file/})
    }
  })
})
