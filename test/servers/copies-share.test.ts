import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import {realRedis, skipWithoutRedis} from '../rig/redis.ts'
import {component} from '../rig/resource-files.ts'
import {respClient} from '../rig/resp.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'
import {publish, subscribed} from '../e2e/pubsub-shop.ts'

interface Copy {
  readonly name: string
  readonly run: Program
  readonly shop: Driven
}

/** Two worktrees of a shop with a store, a broker, a lock and a binding in one Redis. */
async function writeShop(rig: Rig, port: number, isolate: boolean): Promise<void> {
  const redis = {redisHost: `localhost:${port}`}
  const app = {appID: 'shop', appDirPath: '.', autoPort: true, command: rig.drivenCommand, resourcesPath: './resources'}
  await writeWorktrees(rig, {
    'dapr.yaml': JSON.stringify({version: 1, isolate, apps: [app]}),
    'resources/bus.yaml': component('bus', 'pubsub.redis', {...redis, consumerID: 'shop'}),
    'resources/lock.yaml': component('lock', 'lock.redis', redis),
    'resources/out.yaml': component('out', 'bindings.redis', redis),
    'resources/store.yaml': component('store', 'state.redis', {...redis, actorStateStore: 'true'})
  })
}

async function start(rig: Rig, name: string): Promise<Copy> {
  const run = rig.pillion(['up'], {folder: name})
  const shop = await rig.driven('shop')
  await shop.subscribe([{pubsubname: 'bus', topic: 'orders', route: '/orders'}])
  await shop.listen()
  await subscribed(shop, 1)
  return {name, run, shop}
}

const post = async ({shop}: Copy, path: string, body: unknown): Promise<string> =>
  (await shop.fetch(path, {method: 'POST', body: JSON.stringify(body)})).body

const stateOf = async ({shop}: Copy): Promise<string> => (await shop.fetch('/v1.0/state/store/who')).body

/** What the line about shared data names, of the copy that has started last. */
const told = async ({run}: Copy): Promise<string> => run.waitForLine('the same data', {stream: 'stderr'})

t.test(
  'a Redis that two copies use is named in one line, with what keeps them apart',
  {skip: skipWithoutRedis},
  async t => {
    const {port} = await realRedis(t)
    const rig = await openRig(t)
    await writeShop(rig, port, false)
    const main = await start(rig, 'main')
    const pr = await start(rig, 'pr')
    const line = await told(pr)
    for (const each of ['bus (pubsub.redis', 'lock (lock.redis', 'out (bindings.redis', 'store (state.redis'])
      t.match(line, `${each} at localhost:${port})`)
    t.match(
      line,
      `: main (pid ${main.run.pid}) uses the same data, so keys and events cross: isolate: true at the top of the template`
    )
    t.match(line, /keeps copies apart, but not out$/)
    await post(main, '/v1.0/state/store', [{key: 'who', value: 'main'}])
    t.equal(await stateOf(pr), '"main"')
    t.notMatch(main.run.stderr.text, 'the same data', 'the second one tells it')
  }
)

t.test(
  'isolate: true: no key, event or lock crosses, in any order, after kill -9, too',
  {skip: skipWithoutRedis},
  async t => {
    const {port} = await realRedis(t)
    const rig = await openRig(t)
    await writeShop(rig, port, true)
    let pr = await start(rig, 'pr')
    const main = await start(rig, 'main')
    t.match(
      await told(main),
      /out \(bindings\.redis at localhost:\d+\): pr \(pid \d+\) uses the same data\. isolate: true cannot/
    )
    await exchange(t, main, pr)
    for (const copy of [main, pr]) await post(copy, '/v1.0/state/store', [{key: 'who', value: copy.name}])
    t.same([await stateOf(main), await stateOf(pr)], ['"main"', '"pr"'])
    const lock = {resourceId: 'till', lockOwner: 'me', expiryInSeconds: 60}
    for (const copy of [main, pr])
      t.match(await post(copy, '/v1.0-alpha1/lock/lock', lock), /"success":true/, copy.name)
    pr.run.signal('SIGKILL')
    await pr.shop.closed
    pr = await start(rig, 'pr')
    t.same([await stateOf(main), await stateOf(pr)], ['"main"', '"pr"'])
    await exchange(t, pr, main)
    const client = await respClient(port)
    const keys = JSON.stringify(await client.call('KEYS', '*'))
    client.close()
    t.match(keys, /"shop\|\|who/, 'the one without a space has Dapr’s own keys')
    for (const key of [/pr-[0-9a-f]{12}-shop\|\|who/, /pr-[0-9a-f]{12}-orders/]) t.match(keys, key)
  }
)

/** What a copy has published comes back to it, and nothing else does. */
async function exchange(t: Test, ...copies: readonly Copy[]): Promise<void> {
  for (const {name, shop} of copies) await publish(shop, 'bus/orders', JSON.stringify(name))
  for (const {name, shop} of copies) {
    const event = await shop.nextRequest()
    t.match(JSON.parse(event.body), {data: name})
    await event.reply()
  }
}
