import t from 'tap'
import type {Request} from '../rig/command.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {ClientConnection} from '../../src/packages/redis/client-connection.ts'
import {component, eventOf, subscribed} from './pubsub-shop.ts'

/** Of the next event, which is answered. */
const dataOf = async (request: Promise<Request>): Promise<unknown> => {
  const given = await request
  await given.reply()
  return eventOf(given)['data']
}

t.test('pubsub.redis: each app gets each event, another program’s too; what waits is for the next run', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const metadata = {redisHost: `localhost:${port}`, concurrency: '1', consumerID: '{appID}'}
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.redis', metadata)})
  await rig.template([
    {appID: 'shop', autoPort: true, resourcesPath: '../resources'},
    {appID: 'stock', autoPort: true, resourcesPath: '../resources'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const list = [{pubsubname: 'bus', topic: 'orders', route: '/orders'}]
  const start = async (id: string): ReturnType<typeof rig.driven> => {
    const app = await rig.driven(id)
    await app.subscribe(list)
    await app.listen()
    await subscribed(app, 1)
    return app
  }
  const [shop, stock] = await Promise.all([start('shop'), start('stock')])
  const publish = async (body: string): Promise<void> => {
    const {status} = await shop.fetch('/v1.0/publish/bus/orders?metadata.key=7', {method: 'POST', body})
    t.equal(status, 204)
  }
  await publish('1')
  t.same([await dataOf(shop.nextRequest()), await dataOf(stock.nextRequest())], ['1', '1'])
  const redis = await ClientConnection.open({host: '127.0.0.1', port})
  const entries = (await redis.command(['XRANGE', 'orders', '-', '+'])) as readonly (readonly [Buffer, Buffer[]])[]
  t.match(entries[0]?.[1].map(String), ['data', /^\{"data":"1",.*"source":"shop"/, 'metadata', '{"key":"7"}'])
  await redis.command(['XADD', 'orders', '*', 'data', '{"id":"9","data":"theirs","specversion":"1.0"}'])
  t.same([await dataOf(shop.nextRequest()), await dataOf(stock.nextRequest())], ['theirs', 'theirs'])
  await redis.close()
  const stopped = rig.run(['stop', '--app-id', 'stock'])
  await stock.closed
  t.match(await stopped, {code: 0})
  for (const text of ['2', '3']) await publish(text)
  t.same([await dataOf(shop.nextRequest()), await dataOf(shop.nextRequest())], ['2', '3'])
  t.match(await rig.run(['stop', '-f', '.']), {code: 0})
  t.match(await run.exited, {code: 0})
  rig.pillion(['run', '-f', '.'])
  const [, next] = await Promise.all([start('shop'), start('stock')])
  t.same([await dataOf(next.nextRequest()), await dataOf(next.nextRequest())], ['2', '3'], 'in their order')
})

t.test('where the metadata have {namespace}, topics begin with it for the broker, and dead letters, too', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const metadata = {redisHost: `localhost:${port}`, consumerID: '{namespace}'}
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.redis', metadata)})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'], {env: {NAMESPACE: 'blue'}})
  const shop = await rig.driven('shop')
  await shop.subscribe([{pubsubname: 'bus', topic: 'orders', route: '/orders', deadLetterTopic: 'dead'}])
  await shop.listen()
  await subscribed(shop, 1)
  t.match(await shop.fetch('/v1.0/publish/bus/orders', {method: 'POST', body: '1'}), {status: 204})
  const delivered = await shop.nextRequest()
  t.match(eventOf(delivered), {topic: 'orders', data: '1'})
  await delivered.reply({body: '{"status":"DROP"}'})
  const redis = await ClientConnection.open({host: '127.0.0.1', port})
  t.teardown(async () => redis.close())
  let keys: readonly string[] = []
  while (keys.length < 2) keys = ((await redis.command(['KEYS', '*'])) as readonly Buffer[]).map(String).toSorted()
  t.same(keys, ['bluedead', 'blueorders'])
  const groups = (await redis.command(['XINFO', 'GROUPS', 'blueorders'])) as readonly (readonly unknown[])[]
  t.equal(String(groups[0]?.[1]), 'blue.shop')
})

t.test('a process that answers /dapr/subscribe with 404 reads no topic: events wait for one that does', async t => {
  const rig = await openRig(t)
  const metadata = {redisHost: `localhost:${await freePort()}`, consumerID: '{appID}'}
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.redis', metadata)})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const list = [{pubsubname: 'bus', topic: 'orders', route: '/orders'}]
  const next = async (subscriptions: readonly object[]): ReturnType<typeof rig.driven> => {
    const app = await rig.driven('shop')
    if (subscriptions.length > 0) await app.subscribe(subscriptions)
    await app.listen()
    await subscribed(app, subscriptions.length)
    return app
  }
  const publish = async (app: Awaited<ReturnType<typeof next>>, body: string): Promise<void> => {
    t.match(await app.fetch('/v1.0/publish/bus/orders', {method: 'POST', body}), {status: 204})
  }
  const good = await next(list)
  await publish(good, '1')
  t.equal(await dataOf(good.nextRequest()), '1')
  const restart = rig.run(['restart', 'shop'])
  const broken = await next([])
  await restart
  for (const body of ['2', '3']) await publish(broken, body)
  void rig.run(['restart', 'shop'])
  const mended = await next(list)
  const came = [await dataOf(mended.nextRequest()), await dataOf(mended.nextRequest())]
  t.same(new Set(came), new Set(['2', '3']))
})
