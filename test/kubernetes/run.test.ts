import t from 'tap'
import {Cluster, skip} from './rig/cluster.ts'

t.test('a template on a cluster', {skip}, async t => {
  const cluster = await Cluster.open(t)

  t.test('run deploys, shows the lines of all apps, and Ctrl-C takes everything back', async t => {
    const shop = await cluster.shop(t)
    await shop.template([
      {appID: 'stock', appPort: 3000, createService: true},
      {appID: 'shop', dependsOn: ['stock']}
    ])
    const run = shop.run()
    await run.waitForLine('== APP - stock == started')
    await run.waitForLine('== APP - shop == started')
    await run.waitForLine(/✅ {2}2 apps ready after \d+\.\d s/)
    t.same(await shop.names('apps/v1/deployments'), ['shop', 'stock'])
    t.same(await shop.names('v1/services'), ['stock'])
    run.signal('SIGINT')
    t.same(await run.exited, {code: 0, signal: null})
    t.same(await shop.left(), [])
    t.equal(run.stderr.text, '')
    const deleted = run.stdout.lines.filter(line => line.endsWith(' deleted') && line.includes('deployment'))
    t.match(deleted, [/"shop"/, /"stock"/], 'dependents first')
  })
})
