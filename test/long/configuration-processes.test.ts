import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {ClientConnection} from '../../src/packages/redis/client-connection.ts'

interface Shop {
  readonly rig: Rig
  readonly shop: Driven
  readonly redis: ClientConnection
}

/** An app that has a configuration store, and has subscribed to `color`. */
const openShop = async (t: Test, wishes: object): Promise<Shop> => {
  const rig = await openRig(t)
  const port = await freePort()
  const metadata = {redisHost: `localhost:${port}`}
  await rig.write({'resources/settings.yaml': component('settings', 'configuration.redis', metadata)})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources', ...wishes}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  await subscribe(shop, 'color')
  const redis = await ClientConnection.open({host: '127.0.0.1', port})
  t.teardown(async () => redis.close())
  return {rig, shop, redis}
}

const subscribe = async (shop: Driven, key: string): Promise<void> => {
  const {status, body} = await shop.fetch(`/v1.0/configuration/settings/subscribe?key=${key}`)
  if (status !== 200) throw new Error(body)
}

/** The path of the first update that a process gets of two keys that change, `color` first. */
const firstUpdate = async (shop: Driven, redis: ClientConnection): Promise<string> => {
  await redis.command(['SET', 'color', 'red'])
  await redis.command(['SET', 'size', 'small'])
  const request = await shop.nextRequest()
  await request.reply({})
  return request.url
}

t.test('a subscription to configuration ends with the process that asked for it: restart', async t => {
  const {rig, redis} = await openShop(t, {})
  t.match(await rig.run(['restart', 'shop']), {code: 0})
  const next = await rig.driven('shop')
  await next.listen()
  await subscribe(next, 'size')
  t.equal(await firstUpdate(next, redis), '/configuration/settings/size')
})

t.test('… overlap: what the new process asks for before it takes over is its own', async t => {
  const {rig, shop, redis} = await openShop(t, {watch: true, reload: 'overlap'})
  await rig.write({'shop/main.js': '// changed'})
  const next = await rig.driven('shop')
  await subscribe(next, 'size')
  await next.listen()
  await shop.closed
  t.equal(await firstUpdate(next, redis), '/configuration/settings/size')
})

/** The value of the next update of `color`. */
const nextColor = async (shop: Driven, redis: ClientConnection, color: string): Promise<string> => {
  await redis.command(['SET', 'color', color])
  const request = await shop.nextRequest()
  await request.reply({})
  const {items} = JSON.parse(request.body) as {readonly items: Readonly<Record<string, {readonly value: string}>>}
  return items['color']?.value ?? ''
}

t.test('… overlap: a new process that asks for the same changes nothing until it takes over, or ends', async t => {
  const {rig, shop, redis} = await openShop(t, {watch: true, reload: 'overlap'})
  await rig.write({'shop/main.js': '// changed'})
  const next = await rig.driven('shop')
  await subscribe(next, 'color')
  t.equal(await nextColor(shop, redis, 'red'), 'red')
  t.equal(await nextColor(shop, redis, 'blue'), 'blue')
  await next.exit(1)
  await next.closed
  t.equal(await nextColor(shop, redis, 'green'), 'green')
  t.equal(await nextColor(shop, redis, 'white'), 'white')
})
