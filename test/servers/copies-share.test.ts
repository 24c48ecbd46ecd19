import t from 'tap'
import {realRedis, skipWithoutRedis} from '../rig/redis.ts'
import {component} from '../rig/resource-files.ts'
import {respClient} from '../rig/resp.ts'
import {openRig} from '../rig/rig.ts'
import {exchange, post, remember, startCopy, stateOf, told, writeShop} from './two-copies.ts'

const LIST = [{pubsubname: 'bus', topic: 'orders', route: '/orders'}]

/** A store, a broker, a lock and a binding in one Redis. */
function inRedis(port: number): Readonly<Record<string, string>> {
  const redis = {redisHost: `localhost:${port}`}
  return {
    bus: component('bus', 'pubsub.redis', {...redis, consumerID: 'shop', concurrency: '1'}),
    lock: component('lock', 'lock.redis', redis),
    out: component('out', 'bindings.redis', redis),
    store: component('store', 'state.redis', {...redis, actorStateStore: 'true'})
  }
}

t.test(
  'a Redis that two copies use is named in one line, with what keeps them apart',
  {skip: skipWithoutRedis},
  async t => {
    const {port} = await realRedis(t)
    const rig = await openRig(t)
    await writeShop(rig, false, inRedis(port))
    const main = await startCopy(rig, 'main', LIST)
    const pr = await startCopy(rig, 'pr', LIST)
    const line = await told(pr)
    for (const each of ['bus (pubsub.redis', 'lock (lock.redis', 'out (bindings.redis', 'store (state.redis'])
      t.match(line, `${each} at localhost:${port})`)
    t.match(
      line,
      `: main (pid ${main.run.pid}) uses the same data, so keys and events cross: isolate: true at the top of the template`
    )
    t.match(line, /keeps copies apart, but not out$/)
    await remember(main)
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
    await writeShop(rig, true, inRedis(port))
    let pr = await startCopy(rig, 'pr', LIST)
    const main = await startCopy(rig, 'main', LIST)
    t.match(
      await told(main),
      /out \(bindings\.redis at localhost:\d+\): pr \(pid \d+\) uses the same data\. isolate: true cannot/
    )
    await exchange(t, main, pr)
    await remember(main, pr)
    t.same([await stateOf(main), await stateOf(pr)], ['"main"', '"pr"'])
    const lock = {resourceId: 'till', lockOwner: 'me', expiryInSeconds: 60}
    for (const copy of [main, pr])
      t.match(await post(copy, '/v1.0-alpha1/lock/lock', lock), /"success":true/, copy.name)
    pr.run.signal('SIGKILL')
    await pr.shop.closed
    pr = await startCopy(rig, 'pr', LIST)
    t.same([await stateOf(main), await stateOf(pr)], ['"main"', '"pr"'])
    await exchange(t, pr, main)
    const client = await respClient(port)
    const keys = JSON.stringify(await client.call('KEYS', '*'))
    client.close()
    t.match(keys, /"shop\|\|who/, 'the one without a space has Dapr’s own keys')
    for (const key of [/pr-[0-9a-f]{12}-shop\|\|who/, /pr-[0-9a-f]{12}-orders/]) t.match(keys, key)
  }
)
