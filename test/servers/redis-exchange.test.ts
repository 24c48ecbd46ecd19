/** What the blocks write is what redis-cli reads, in Dapr's layout, and the other way round. */
import {spawn} from 'node:child_process'
import {text} from 'node:stream/consumers'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {realRedis, skipWithoutRedis} from '../rig/redis.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {eventOf, publish, subscribed} from '../e2e/pubsub-shop.ts'

for (const server of ['the built-in Redis', 'redis-server'])
  for (const database of ['0', '3'])
    t.test(`redis-cli at ${server}, database ${database}`, {skip: skipWithoutRedis}, async t => {
      const rig = await openRig(t)
      const port = server === 'redis-server' ? (await realRedis(t)).port : await freePort()
      const cli = async (...args: readonly string[]): Promise<string> => {
        const child = spawn('redis-cli', ['-p', port.toString(), '-n', database, ...args], {
          stdio: ['ignore', 'pipe', 'inherit']
        })
        return (await text(child.stdout)).trimEnd()
      }
      const types = {store: 'state', bus: 'pubsub', settings: 'configuration', locks: 'lock'}
      const metadata = {redisHost: `localhost:${port}`, redisDB: database}
      for (const [name, block] of Object.entries(types))
        await rig.write({[`resources/${name}.yaml`]: component(name, `${block}.redis`, metadata)})
      await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
      rig.pillion(['run', '-f', '.'])
      const shop = await rig.driven('shop')
      await shop.subscribe([{pubsubname: 'bus', topic: 'orders', route: '/orders'}])
      await shop.listen()
      await subscribed(shop, 1)

      const items = [{key: 'k', value: {name: 'ü', n: 1}}]
      t.match(await shop.fetch('/v1.0/state/store', {method: 'POST', body: JSON.stringify(items)}), {status: 204})
      t.equal(await cli('HGETALL', 'shop||k'), 'data\n{"name":"ü","n":1}\nversion\n1')
      await cli('HSET', 'shop||theirs', 'data', '{"a":1}', 'version', '7')
      t.match(await shop.fetch('/v1.0/state/store/theirs'), {body: '{"a":1}', headers: {etag: '7'}})

      await publish(shop, 'bus/orders?metadata.key=7', '"mine"')
      const mine = await shop.nextRequest()
      await mine.reply()
      const [, data, event, name, value] = (await cli('XRANGE', 'orders', '-', '+')).split('\n')
      t.match([data, event, name, value], ['data', mine.body, 'metadata', '{"key":"7"}'])
      await cli('XADD', 'orders', '*', 'data', '{"id":"1","data":"theirs","specversion":"1.0"}')
      const theirs = await shop.nextRequest()
      await theirs.reply()
      t.equal(eventOf(theirs)['data'], 'theirs')

      await cli('MSET', 'color', 'blue||v1', 'size', 'big')
      const {body} = await shop.fetch('/v1.0/configuration/settings?key=color&key=size')
      t.same(JSON.parse(body), {color: {value: 'blue', version: 'v1'}, size: {value: 'big'}})
      const {id} = JSON.parse((await shop.fetch('/v1.0/configuration/settings/subscribe?key=color')).body) as {
        id: string
      }
      await cli('MSET', 'color', 'red||v2', 'size', 'small')
      const changed = await shop.nextRequest()
      await changed.reply()
      t.same(JSON.parse(changed.body), {id, items: {color: {value: 'red', version: 'v2'}}})

      const lock = {method: 'POST', body: JSON.stringify({resourceId: 'r', lockOwner: 'me', expiryInSeconds: 60})}
      t.match(await shop.fetch('/v1.0-alpha1/lock/locks', lock), {body: '{"success":true}'})
      t.equal(await cli('GET', 'lock||shop||r'), 'me')
      await cli('DEL', 'lock||shop||r')
      t.match(await shop.fetch('/v1.0-alpha1/lock/locks', lock), {body: '{"success":true}'})
      const keys = ['color', 'lock||shop||r', 'orders', 'shop||k', 'shop||theirs', 'size']
      t.same((await cli('KEYS', '*')).split('\n').toSorted(), keys)
    })
