import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {ClientConnection} from '../../src/packages/redis/client-connection.ts'

interface Shop {
  readonly rig: Rig
  readonly shop: Driven
  /** Of the Redis that nobody is yet. */
  readonly port: number
}

const openShop = async (t: Test, types: Readonly<Record<string, string>>): Promise<Shop> => {
  const rig = await openRig(t)
  const port = await freePort()
  const metadata = {redisHost: `localhost:${port}`}
  await rig.write(
    Object.fromEntries(
      Object.entries(types).map(([name, type]) => [`resources/${name}.yaml`, component(name, type, metadata)])
    )
  )
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  return {rig, shop, port}
}

const client = async (t: Test, port: number): Promise<ClientConnection> => {
  const connection = await ClientConnection.open({host: '127.0.0.1', port})
  t.teardown(async () => connection.close())
  return connection
}

t.test('locks: taken by one, released by its owner', async t => {
  const {shop, port} = await openShop(t, {locks: 'lock.redis'})
  const ask = async (verb: string, body: object): Promise<unknown> => {
    const {status, body: text} = await shop.fetch(`/v1.0-alpha1/${verb}/locks`, {
      method: 'POST',
      body: JSON.stringify(body)
    })
    return [status, JSON.parse(text)]
  }
  const mine = {resourceId: 'r', lockOwner: 'me', expiryInSeconds: 60}
  t.same(await ask('lock', mine), [200, {success: true}])
  t.same(await ask('lock', mine), [200, {success: false}])
  t.same(await ask('unlock', {...mine, lockOwner: 'you'}), [200, {status: 2}])
  t.equal(String(await (await client(t, port)).command(['GET', 'lock||shop||r'])), 'me', 'the layout of Dapr')
  t.same(await ask('unlock', mine), [200, {status: 0}])
  t.same(await ask('unlock', mine), [200, {status: 1}])
  t.match(await ask('lock', {...mine, lockOwner: ''}), [
    400,
    {errorCode: 'ERR_MALFORMED_REQUEST', message: 'LockOwner is empty in lock store locks'}
  ])
  t.match(await shop.fetch('/v1.0-alpha1/lock/lock', {method: 'POST', body: JSON.stringify(mine)}), {
    status: 400,
    body: '{"errorCode":"ERR_LOCK_STORE_NOT_FOUND","message":"lock store lock not found (did you mean locks?)"}'
  })
})

t.test('configuration: read, and told of what another program changes', async t => {
  const {shop, port} = await openShop(t, {settings: 'configuration.redis'})
  const redis = await client(t, port)
  const url = '/v1.0/configuration/settings'
  t.match(await shop.fetch(url), {status: 204})
  await redis.command(['MSET', 'color', 'blue||2', 'size', 'big', 'none', ''])
  t.same(JSON.parse((await shop.fetch(`${url}?key=color&key=none&key=absent`)).body), {
    color: {value: 'blue', version: '2'}
  })
  t.same(JSON.parse((await shop.fetch(url)).body), {color: {value: 'blue', version: '2'}, size: {value: 'big'}})
  const {id} = JSON.parse((await shop.fetch(`${url}/subscribe?key=color`)).body) as {id: string}
  await redis.command(['SET', 'color', 'red||3'])
  const changed = await shop.nextRequest()
  t.match(changed, {method: 'POST', url: '/configuration/settings/color'})
  t.same(JSON.parse(changed.body), {id, items: {color: {value: 'red', version: '3'}}})
  await changed.reply({})
  await redis.command(['DEL', 'color'])
  const deleted = await shop.nextRequest()
  t.same(JSON.parse(deleted.body), {id, items: {color: {}}})
  await deleted.reply({})
  t.match(await shop.fetch(`${url}/${id}/unsubscribe`), {status: 200, body: '{"ok":true}'})
  t.match(await shop.fetch(`${url}/${id}/unsubscribe`), {
    status: 500,
    body: `{"message":"failed to unsubscribe to configuration request ${id}: subscription with id ${id} does not exist"}`
  })
})

const save = async (app: Driven, value: number): Promise<number> =>
  (await app.fetch('/v1.0/state/store', {method: 'POST', body: JSON.stringify([{key: 'k', value}])})).status
const read = async (app: Driven): Promise<string> => (await app.fetch('/v1.0/state/store/k')).body

t.test('redis --off lets the port go: another server may take it, and the app goes on with that', async t => {
  const {rig, shop, port} = await openShop(t, {store: 'state.redis'})
  await save(shop, 1)
  const off = await rig.run(['redis', '--off', port.toString()])
  t.match(off, {code: 0, stdout: /has released port \d+/})
  const server = rig.pillion(['redis', port.toString()])
  await server.waitForLine(`Redis listens on localhost:${port}`)
  t.equal(await read(shop), '1', 'the keys are those of the port')
  t.equal(await save(shop, 2), 204)
})

t.test('two runs share the built-in Redis; when the one that is it ends, the other goes on with all keys', async t => {
  const {rig, shop, port} = await openShop(t, {store: 'state.redis'})
  const other = rig.pillion(['run', '-a', 'stock', '--resources-path', 'resources', '--', ...rig.drivenCommand])
  const stock = await rig.driven('stock')
  t.equal(await save(shop, 1), 204)
  t.equal(await save(stock, 2), 204)
  const stopped = await rig.run(['stop', '-f', '.'])
  t.equal(stopped.code, 0)
  await other.waitForLine(`No Redis at localhost:${port}: Pillion serves one`, {stream: 'stderr'})
  t.equal(await read(stock), '2')
  t.equal(await save(stock, 3), 204)
  const redis = await client(t, port)
  t.equal(String(await redis.command(['HGET', 'shop||k', 'data'])), '1')
  t.equal(String(await redis.command(['HGET', 'stock||k', 'data'])), '3')
})
