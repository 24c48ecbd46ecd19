/** Components of Redis where something is not as it should be. */
import {once} from 'node:events'
import {createServer as createHttpServer} from 'node:http'
import {createServer, type AddressInfo, type Server, type Socket} from 'node:net'
import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import {freePort} from '../rig/free-port.ts'
import {realRedis, skipWithoutRedis} from '../rig/redis.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {eventOf, publish, subscribed} from '../e2e/pubsub-shop.ts'

const listening = async (t: Test, server: Server): Promise<number> => {
  const sockets = new Set<Socket>()
  server
    .on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined))) // who looks closes at once
    .listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** State and a topic at a Redis. */
const components = (port: number): Readonly<Record<string, string>> => {
  const metadata = {redisHost: `localhost:${port}`}
  return {
    'resources/store.yaml': component('store', 'state.redis', {...metadata, dialTimeout: '1s'}),
    'resources/bus.yaml': component('bus', 'pubsub.redis', {...metadata, concurrency: '1'})
  }
}

const startShop = async (rig: Rig, port: number): Promise<Driven> => {
  await rig.write(components(port))
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.subscribe([{pubsubname: 'bus', topic: 'orders', route: '/orders'}])
  await shop.listen()
  await subscribed(shop, 1)
  return shop
}

const save = async (
  app: Driven,
  key: string,
  value: unknown
): Promise<{readonly status: number; readonly body: string}> =>
  app.fetch('/v1.0/state/store', {method: 'POST', body: JSON.stringify([{key, value}])})
const read = async (app: Driven, key: string): Promise<string> => (await app.fetch(`/v1.0/state/store/${key}`)).body

const next = async (app: Driven): Promise<unknown> => {
  const request = await app.nextRequest()
  await request.reply()
  return eventOf(request)['data']
}

t.test('a port that something else holds: the app is not started, and the error says so', async t => {
  const others: Readonly<Record<string, Server>> = {
    'an HTTP server': createHttpServer((_, response) => response.end('hello')),
    'a server that says nothing': createServer(() => {}),
    'a server that says something else': createServer(socket => socket.write('220 mail\r\n'))
  }
  for (const [name, server] of Object.entries(others)) {
    const port = await listening(t, server)
    const rig = await openRig(t)
    const metadata = {redisHost: `localhost:${port}`, readTimeout: '200ms'}
    await rig.write({'resources/store.yaml': component('store', 'state.redis', metadata)})
    const {code, stderr} = await rig.run(['run', '-a', 'shop', '--resources-path', 'resources', '--', 'true'])
    t.equal(code, 1, name)
    const at = `redis store: error connecting to redis at localhost:${port}: `
    t.match(stderr, `${at}what listens there does not answer as Redis does`, name)
    t.match(stderr, 'resources/store.yaml:1:', name)
  }
})

t.test('an app of the template is the Redis itself: the others wait for it', {skip: skipWithoutRedis}, async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write(components(port))
  await rig.template([
    {appID: 'shop', autoPort: true, resourcesPath: '../resources'},
    {
      appID: 'redis',
      appPort: port,
      command: ['redis-server', '--port', port.toString(), '--save', '', '--bind', '127.0.0.1']
    }
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.subscribe([{pubsubname: 'bus', topic: 'orders', route: '/orders'}])
  await shop.listen()
  t.match(await save(shop, 'k', 1), {status: 204})
  t.equal(await read(shop, 'k'), '1')
  await subscribed(shop, 1)
  await publish(shop, 'bus/orders', '2')
  t.equal(await next(shop), 2)
  t.notMatch(run.stderr.text, 'Pillion serves one')
})

t.test('a Redis that leaves: errors that say so; when it is back, all goes on', {skip: skipWithoutRedis}, async t => {
  const real = await realRedis(t)
  const rig = await openRig(t)
  const shop = await startShop(rig, real.port)
  t.match(await save(shop, 'k', 1), {status: 204})
  await publish(shop, 'bus/orders', '1')
  t.equal(await next(shop), 1)
  await real.stop()
  t.match(await save(shop, 'k', 2), {
    status: 500,
    body: /"ERR_STATE_SAVE","message":"failed saving state in state store store: (Redis does not answer|Socket closed)/
  })
  const waiting = save(shop, 'k', 3)
  await real.start()
  // the first that is tried once it is there may still be told that it is not
  if ((await waiting).status !== 204) while ((await save(shop, 'k', 3)).status !== 204);
  t.equal(await read(shop, 'k'), '3')
  await publish(shop, 'bus/orders', '4')
  t.equal(await next(shop), 4, 'the group is created again')
})

t.test('messages of 4 MiB and one byte more; bytes that are no UTF-8', async t => {
  const rig = await openRig(t)
  const shop = await startShop(rig, await freePort())
  const limit = 4 * 1024 * 1024
  await publish(shop, 'bus/orders', JSON.stringify('x'.repeat(limit - 2)))
  t.equal(await next(shop), 'x'.repeat(limit - 2))
  const big = {method: 'POST', body: JSON.stringify('x'.repeat(limit - 1))}
  const tooLarge = {status: 400, body: /"failed to read request body: stream too large"/}
  t.match(await shop.fetch('/v1.0/publish/bus/orders', big), tooLarge)
  const value = 'x'.repeat(limit - JSON.stringify([{key: 'k', value: ''}]).length)
  t.match(await save(shop, 'k', value), {status: 204})
  t.equal(await read(shop, 'k'), JSON.stringify(value))
  t.match(await save(shop, 'k', `${value}x`), tooLarge)
  const url = `http://127.0.0.1:${shop.env['DAPR_HTTP_PORT'] ?? ''}/v1.0`
  const bytes = Uint8Array.from([0xff, 0x00, 0xfe, 0x0d, 0x0a])
  const send = async (path: string, type: string): Promise<number> =>
    (await fetch(url + path, {method: 'POST', body: bytes, headers: {'content-type': type}})).status
  t.equal(await send('/publish/bus/orders', 'application/octet-stream'), 204)
  const request = await shop.nextRequest()
  await request.reply()
  t.equal(eventOf(request)['data_base64'], Buffer.from(bytes).toString('base64'))
  t.equal(await send('/publish/bus/orders', 'text/plain'), 204)
  t.type(await next(shop), 'string', 'spoiled, as by Dapr')
  t.equal(await send('/state/store', 'application/json'), 400)
})
