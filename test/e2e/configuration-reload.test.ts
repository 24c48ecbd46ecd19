import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import {freePorts} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {ClientConnection} from '../../src/packages/redis/client-connection.ts'

const settings = (port: number): Readonly<Record<string, string>> => ({
  'resources/settings.yaml': component('settings', 'configuration.redis', {redisHost: `localhost:${port}`})
})

const redisAt = async (t: Test, port: number): Promise<ClientConnection> => {
  const redis = await ClientConnection.open({host: '127.0.0.1', port})
  t.teardown(async () => redis.close())
  return redis
}

const URL = '/v1.0/configuration/settings'

const nextUpdate = async (shop: Driven): Promise<readonly [string, unknown]> => {
  const request = await shop.nextRequest()
  await request.reply({})
  return [request.url, JSON.parse(request.body)]
}

t.test('a configuration store that is opened anew goes on with its subscriptions', async t => {
  const rig = await openRig(t)
  const [first = 0, second = 0] = await freePorts(2)
  await rig.write(settings(first))
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  const subscribed = await shop.fetch(`${URL}/subscribe?key=color`)
  const {id} = JSON.parse(subscribed.body) as {readonly id: string}
  await rig.write(settings(second))
  await rig.logged('shop', /Closing existing Component to reload: settings \(configuration\.redis\/v1\)/)
  await rig.logged('shop', /Component updated: settings \(configuration\.redis\/v1\)/)
  await rig.logged('shop', new RegExp(`subscription ${id} goes on at configuration store settings`))
  const redis = await redisAt(t, second)
  await redis.command(['SET', 'color', 'red||1'])
  t.same(await nextUpdate(shop), ['/configuration/settings/color', {id, items: {color: {value: 'red', version: '1'}}}])
  t.match(await shop.fetch(`${URL}/${id}/unsubscribe`), {status: 200, body: '{"ok":true}'})
  t.match(JSON.parse((await shop.fetch(`${URL}/subscribe?key=size`)).body), {id: /./})
  await redis.command(['SET', 'color', 'blue||2'])
  await redis.command(['SET', 'size', 'big'])
  t.match(await nextUpdate(shop), ['/configuration/settings/size'])
})
