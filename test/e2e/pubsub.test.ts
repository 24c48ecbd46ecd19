import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {component, eventOf, openShop, publish} from './pubsub-shop.ts'

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
    headers: {
      'content-type': 'application/cloudevents+json',
      pubsubname: 'bus',
      partitionkey: '7',
      traceparent
    }
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

t.test('each content type has its envelope; metadata replaces its fields', async t => {
  const {shop} = await openShop(t, [{pubsubname: 'bus', topic: 'a/b', route: '/x'}])
  const cases: readonly (readonly [type: string, body: string, query: string, event: object])[] = [
    ['application/json', '{"a" : 1}', '', {data: {a: 1}, datacontenttype: 'application/json'}],
    ['Application/JSON; charset=utf-8', '[1]', '', {data: [1], datacontenttype: 'Application/JSON; charset=utf-8'}],
    ['application/json', 'no json', '', {data: 'no json'}],
    ['application/octet-stream', 'bytes', '', {data_base64: 'Ynl0ZXM=', data: undefined}],
    ['application/vnd.x+json', '{"a":1}', '', {data: '{"a":1}', datacontenttype: 'application/vnd.x+json'}],
    ['text/plain', 'pear', '?metadata.ttlInSeconds=9', {data: 'pear', expiration: /^\d{4}-.*Z$/}],
    ['text/plain', 'pear', '?metadata.ttlInSeconds=99999999999999999999', {expiration: '9999-12-31T23:59:59Z'}],
    ['text/plain', 'pear', '?metadata.ttlInSeconds=0', {expiration: undefined}],
    ['text/plain', 'pear', '?metadata.ttlInSeconds=-1', {expiration: undefined}],
    [
      'text/plain',
      'pear',
      '?metadata.cloudevent.id=7&metadata.CloudEvent.Type=t&metadata.cloudevent.source=s&metadata.cloudevent.subject=j',
      {id: '7', type: 't', source: 's', subject: 'j'}
    ],
    [
      'application/cloudevents+json',
      '{"id":"1","data":{"n":1.50},"topic":"other","mine":[1,2],"type":"sold"}',
      '?metadata.cloudevent.type=lost',
      {
        id: '1',
        data: {n: 1.5},
        topic: 'a/b',
        mine: [1, 2],
        type: 'sold',
        source: 'Dapr',
        specversion: '1.0',
        pubsubname: 'bus',
        traceid: /^00-/,
        time: /Z$/
      }
    ],
    ['application/cloudevents+json', '{"data":1}', '', {id: undefined, type: 'com.dapr.event.sent'}]
  ]
  for (const [type, body, query, event] of cases) {
    await publish(shop, `bus/a%2Fb${query}`, body, {'content-type': type})
    const request = await shop.nextRequest()
    t.match(eventOf(request), event, `${type} ${body} ${query}`)
    await request.reply()
  }
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

t.test('the sidecar is ready once the topics of its app are read; of two routes for a topic the last holds', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/bus.yaml': component('bus', 'pubsub.in-memory'),
    'app.mjs': `
const {createServer} = process.getBuiltinModule('node:http')
let held
createServer(async (request, response) => {
  const body = Buffer.concat(await Array.fromAsync(request)).toString()
  if (request.url === '/dapr/subscribe') {
    held = response
    return console.log('asked')
  }
  const list = ['/first', '/last'].map(route => ({pubsubname: 'bus', topic: 'orders', route}))
  if (request.url === '/go') held.end(JSON.stringify(list))
  else if (request.method === 'POST') console.log('got', request.url, JSON.parse(body).data)
  response.end()
}).listen(process.env.APP_PORT)
`
  })
  await rig.template([{appID: 'shop', appDirPath: '.', resourcesPath: './resources', autoPort: true, daprdLogDestination: 'console', command: ['node', 'app.mjs']}])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  const call = async (path: string, method = 'GET'): Promise<number> =>
    (await fetch(`http://127.0.0.1:${http}/v1.0/${path}`, {method, ...(method === 'POST' && {body: '1'})})).status
  await run.waitForLine('asked')
  t.equal(await call('healthz'), 500)
  await run.waitForLine('app has not said yet which topics it subscribes to')
  t.notMatch(run.stdout.text, /dapr initialized/)
  t.equal(await call('invoke/shop/method/go'), 200)
  await run.waitForLine('dapr initialized. Status: Running')
  t.equal(await call('healthz'), 204)
  t.match(run.stdout.text, /app is subscribed to the following topics: \[orders\] through pubsub=bus[^]*dapr initialized/)
  t.equal(await call('publish/bus/orders', 'POST'), 204)
  await run.waitForLine('got /last')
}) // prettier-ignore

t.test('events are held while the app reloads, and reach its next process in order', async t => {
  const {rig, shop} = await openShop(t, [{pubsubname: 'bus', topic: 'orders', route: '/old'}])
  await publish(shop, 'bus/orders', '0')
  await shop.nextRequest() // never answered
  for (const n of [1, 2, 3]) await publish(shop, 'bus/orders', n.toString())
  const restarted = rig.run(['restart', '--app-id', 'shop'])
  const port = shop.env['DAPR_HTTP_PORT'] ?? ''
  const next = await rig.driven('shop')
  const answer = await next.fetch(`http://127.0.0.1:${port}/v1.0/publish/bus/orders`, {method: 'POST', body: '4'})
  t.equal(answer.status, 204)
  await next.subscribe([{pubsubname: 'bus', topic: 'orders', route: '/new'}])
  await next.listen()
  t.match(await restarted, {code: 0})
  const urls: string[] = []
  const numbers: string[] = []
  for (let n = 0; n <= 4; n++) {
    const request = await next.nextRequest()
    urls.push(request.url)
    numbers.push(String(eventOf(request)['data']))
    await request.reply()
  }
  t.same(numbers, ['0', '1', '2', '3', '4'], 'the one that the old process had is delivered again')
  t.same([...new Set(urls)], ['/new'], 'by the routes that the new process has listed')
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
