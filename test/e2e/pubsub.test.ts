import t from 'tap'
import {eventOf, openShop, publish} from './pubsub-shop.ts'

t.test('an event in its envelope: published, delivered with its headers, listed in the metadata', async t => {
  const {shop} = await openShop(t, [{pubsubname: 'bus', topic: 'orders', route: 'orders'}])
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  await publish(shop, 'bus/orders?metadata.partitionKey=7', '{"n": 12345678901234567890}', {
    'content-type': 'application/json',
    traceparent
  })
  const request = await shop.nextRequest()
  t.match(request, {
    method: 'POST',
    url: '/orders',
    headers: {'content-type': 'application/cloudevents+json', pubsubname: 'bus', partitionkey: '7', traceparent}
  })
  t.match(
    request.body,
    /^\{"data":\{"n":12345678901234567890\},"datacontenttype":"application\/json","id":"[0-9a-f-]{36}","pubsubname":"bus","source":"shop","specversion":"1.0","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ","topic":"orders","traceid":"(00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01)","traceparent":"\1","tracestate":"","type":"com.dapr.event.sent"\}$/
  )
  await request.reply()
  const metadata = JSON.parse((await shop.fetch('/v1.0/metadata')).body) as {subscriptions: object[]}
  t.same(metadata.subscriptions, [
    {pubsubname: 'bus', topic: 'orders', rules: [{path: 'orders'}], deadLetterTopic: '', type: 'PROGRAMMATIC'}
  ])
})

t.test('what follows each answer of the app', async t => {
  const {shop, run} = await openShop(t, [
    {pubsubname: 'bus', topic: 'kept', route: '/kept', deadLetterTopic: 'dead'},
    {pubsubname: 'bus', topic: 'dead', route: '/dead'},
    {pubsubname: 'bus', topic: 'plain', route: '/plain'}
  ])
  const cases: readonly (readonly [status: number, body: string, isDead: boolean])[] = [
    [200, '', false],
    [204, '', false],
    [200, 'no json', false],
    [200, '{}', false],
    [200, '[1]', false],
    [201, '{"status":""}', false],
    [200, '{"status":"SUCCESS"}', false],
    [200, '{"status":"DROP"}', true],
    [200, '{"status":"RETRY"}', true],
    [200, '{"status":"other"}', true],
    [200, '{"Status":"RETRY"}', true],
    [200, '{"STATUS":"DROP"}', true],
    [200, '{"Status":"SUCCESS"}', false],
    [404, 'none', true],
    [301, '', true],
    [400, '', true],
    [500, 'broken', true]
  ]
  for (const [status, body, isDead] of cases) {
    const what = `${status} ${body}`
    await publish(shop, 'bus/kept?metadata.key=7', JSON.stringify(what))
    const request = await shop.nextRequest()
    t.match(request, {url: '/kept'}, what)
    await request.reply({status, body})
    if (!isDead) continue
    const dead = await shop.nextRequest()
    t.match(dead, {url: '/dead', headers: {key: '7'}}, what)
    t.same(dead.body, request.body, 'the same bytes: the event keeps its topic')
    await dead.reply()
  }
  await publish(shop, 'bus/plain', '"lost"')
  await (await shop.nextRequest()).reply({status: 500, body: 'broken'})
  await run.waitForLine(
    '"shop" failed to handle an event of topic plain in pubsub bus, which is lost: 500 broken. A deadLetterTopic keeps such events, a retry policy delivers them again',
    {stream: 'stderr'}
  )
})

t.test('the command publishes; an event that comes while the app starts is delivered when it is there', async t => {
  const odd = 'a?b/c#d&e%20é'
  const {rig, shop} = await openShop(t, [
    {pubsubname: 'bus', topic: 'orders', route: '/orders'},
    {pubsubname: 'bus', topic: odd, route: '/odd'}
  ])
  const send = async (data: string, topic = 'orders', key = '7'): Promise<void> => {
    const args = ['publish', '-i', 'shop', '-p', 'bus', '-t', topic, '-d', data, '-m', JSON.stringify({key})]
    t.match(await rig.run(args), {code: 0, stdout: '✅  Event published successfully\n', stderr: ''})
  }
  await send('{"n":0}', odd, '1&2+3 %20')
  const first = await shop.nextRequest()
  t.match(first, {url: '/odd', headers: {key: '1&2+3 %20'}}, 'signs of URLs in a topic, and in metadata')
  t.match(eventOf(first), {topic: odd, data: {n: 0}})
  await first.reply()
  await send('{"n":1}')
  const request = await shop.nextRequest()
  t.match(request.headers, {key: '7'})
  t.match(eventOf(request), {data: {n: 1}, datacontenttype: 'application/json'})
  await request.reply()
  await send('{"id":"1","source":"s","specversion":"1.0","type":"sold","data":2}')
  const own = await shop.nextRequest()
  t.match(eventOf(own), {id: '1', type: 'sold', data: 2})
  await own.reply()
  const restarts = rig.run(['restart', '--app-id', 'shop'])
  const next = await rig.driven('shop')
  await next.subscribe([{pubsubname: 'bus', topic: 'orders', route: '/orders'}])
  await send('{"n":3}')
  await next.listen()
  t.match(await restarts, {code: 0})
  const waited = await next.nextRequest()
  t.match(eventOf(waited), {data: {n: 3}})
  await waited.reply()
})
