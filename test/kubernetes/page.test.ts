import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {copyExample} from '../rig/example.ts'
import {Cluster, skip} from './rig/cluster.ts'

const PAGE = join(import.meta.dirname, '../../docs/past-one-machine.md')

/** The commands of the page, without those that make a cluster, install Dapr and build images. */
const [, block = ''] = /```\n(kind create[^`]*)```/.exec(readFileSync(PAGE, 'utf8')) ?? []
const commands = block.trim().split('\n')
const ours = commands.filter(command => /^(?:pillion|kubectl)\b/.test(command))

t.test('the page takes the example shop to a cluster in six commands', {skip}, async t => {
  t.equal(commands.length, 6)
  t.match(ours, [/^kubectl apply -f cluster\/redis\.yaml$/, /^pillion run -k /, /^pillion stop -k /])
  const cluster = await Cluster.open(t)
  cluster.kubelet.program('shop/shop', container => {
    container.log('ordered pears: 204')
    container.exit(0)
  })
  const shop = await cluster.shop(t)
  await copyExample(shop.rig, 'shop')
  const words = shop.rig.program.map(word => `'${word}'`).join(' ')
  const [apply = '', run = '', stop = ''] = ours
  const inShell = (command: string) =>
    shop.rig.start(['sh', '-c', `cd shop; pillion() { ${words} "$@"; }; ${command}`], {
      env: {...shop.env, HOME: shop.rig.home}
    })
  t.match(await inShell(apply).exited, {code: 0})
  const running = inShell(run)
  await running.waitForLine('== APP - stock == started')
  await running.waitForLine('== APP - shop == ordered pears: 204')
  t.strictSame(await shop.names('apps/v1/deployments'), ['redis', 'stock'])
  t.strictSame(await shop.names('batch/v1/jobs'), ['shop'])
  t.strictSame(await shop.names('dapr.io/v1alpha1/components'), ['orders', 'stockstore'])
  t.match(await inShell(stop).exited, {code: 0})
  t.match(await running.exited, {code: 0})
  t.strictSame(await shop.names('apps/v1/deployments'), ['redis'], 'what is not ours stays')
  t.strictSame(await shop.names('batch/v1/jobs'), [])
  t.strictSame(await shop.names('dapr.io/v1alpha1/components'), [])
})
