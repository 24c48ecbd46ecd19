import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {component, eventOf, openShop, publish} from './pubsub-shop.ts'

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
