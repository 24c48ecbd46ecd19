import t from 'tap'
import {openShop} from '../rig/cluster-shop.ts'

t.test('logs -k -f: a server that goes away in the middle is said, and no bug of ours', async t => {
  const {rig, env, server, run: start} = await openShop(t)
  const run = start()
  await run.waitForLine('1 app ready')
  for (const more of [[], ['--app']]) {
    const logs = rig.pillion(['logs', '-k', '-a', 'stock', '-f', ...more], {env})
    await logs.waitForLine('started')
    server.cutLogs()
    t.match(await logs.exited, {code: 1}, more.join())
    t.match(logs.stderr.text, /^❌ {2}the log of pod "\S+" broke off: \w+\n$/)
  }
  run.signal('SIGINT')
  await run.exited
})

t.test('logs -k --app: a pod whose log cannot be read hides none of the others', async t => {
  const {rig, env, server} = await openShop(t)
  for (const name of ['stock-1', 'stock-2', 'stock-3'])
    server.save(`/api/v1/namespaces/shop/pods/${name}`, {
      metadata: {name, labels: {app: 'stock'}},
      spec: {containers: [{name: 'stock'}, {name: 'daprd', args: ['--app-id', 'stock']}]}
    })
  server.answer = ({path}) => (path.endsWith('/stock-2/log') ? {code: 400} : undefined)
  const {code, stdout, stderr} = await rig.run(['logs', '-k', '-a', 'stock', '--app'], {env})
  t.equal(code, 1)
  t.equal(stdout, '== APP - stock == started\n'.repeat(2))
  t.match(stderr, /^❌ {2}the API server .* could not read the log of pod "stock-2" \(status 400\)\n/)
  const followed = rig.pillion(['logs', '-k', '-a', 'stock', '--app', '-f'], {env})
  await followed.waitForLine('could not read the log of pod "stock-2"', {stream: 'stderr'})
  await followed.waitForLine('started')
  server.print('/api/v1/namespaces/shop/pods/stock-3', 'later')
  await followed.waitForLine('later')
  server.cutLogs()
  t.match(await followed.exited, {code: 1})
})
