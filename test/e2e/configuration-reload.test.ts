import {setTimeout as pause} from 'node:timers/promises'
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
  await rig.logged('shop', new RegExp(`subscription ${id} continues at configuration store settings`))
  const redis = await redisAt(t, second)
  await redis.command(['SET', 'color', 'red||1'])
  t.same(await nextUpdate(shop), ['/configuration/settings/color', {id, items: {color: {value: 'red', version: '1'}}}])
  t.match(await shop.fetch(`${URL}/${id}/unsubscribe`), {status: 200, body: '{"ok":true}'})
  t.match(JSON.parse((await shop.fetch(`${URL}/subscribe?key=size`)).body), {id: /./})
  await redis.command(['SET', 'color', 'blue||2'])
  await redis.command(['SET', 'size', 'big'])
  t.match(await nextUpdate(shop), ['/configuration/settings/size'])
})

t.test('a subscription hears changes also after another run has become the Redis', async t => {
  const rig = await openRig(t)
  const [port = 0, ...appPorts] = await freePorts(3)
  await rig.write(settings(port))
  const start = async (id: string, appPort = 0) => {
    const args = ['-a', id, '-p', appPort.toString(), '--resources-path', 'resources', '--', ...rig.drivenCommand]
    const run = rig.pillion(['run', ...args])
    const app = await rig.driven(id)
    await app.listen()
    return {run, app}
  }
  const ANSWERS = /No Redis at localhost:\d+: Pillion serves one/
  const [holder, {run, app: shop}] = [await start('stock', appPorts[0]), await start('shop', appPorts[1])]
  await holder.run.waitForLine(ANSWERS, {stream: 'stderr'})
  t.match(JSON.parse((await shop.fetch(`${URL}/subscribe?key=color`)).body), {id: /./})
  const before = await redisAt(t, port)
  await before.command(['SET', 'color', 'red||1'])
  t.match(await nextUpdate(shop), ['/configuration/settings/color', {items: {color: {value: 'red'}}}])
  holder.run.signal('SIGTERM')
  await holder.run.exited
  await run.waitForLine(ANSWERS, {stream: 'stderr'})
  const after = await redisAt(t, port)
  const changed = nextUpdate(shop)
  // the subscription comes back by itself: what is set before that is no update
  do await after.command(['SET', 'color', 'blue||2'])
  while ((await Promise.race([changed, pause(50)])) === undefined)
  t.match(await changed, ['/configuration/settings/color', {items: {color: {value: 'blue'}}}])
})
