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
