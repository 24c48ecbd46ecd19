import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {component, eventOf, openShop, publish, subscribed} from './pubsub-shop.ts'

t.test('a subscription of a file is listed where no app takes its events', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/bus.yaml': component('bus', 'pubsub.in-memory'),
    'resources/orders.yaml': JSON.stringify({
      apiVersion: 'dapr.io/v2alpha1',
      kind: 'Subscription',
      metadata: {name: 'orders'},
      spec: {pubsubname: 'bus', topic: 'orders', routes: {default: '/orders'}}
    })
  })
  const run = rig.pillion(['run', '--app-id', 'shop', '--resources-path', './resources'])
  const {http} = await run.ports('shop')
  const {subscriptions} = (await (await fetch(`http://127.0.0.1:${http}/v1.0/metadata`)).json()) as {subscriptions: unknown}
  t.match(subscriptions, [{pubsubname: 'bus', topic: 'orders', rules: [{path: '/orders'}], type: 'DECLARATIVE'}])
}) // prettier-ignore

/** An app that breaks off the first question of its topics, as one behind a proxy that listens before the app does. */
const LATE = `let isThere = false
http.createServer((request, response) => {
  if (request.url === '/dapr/subscribe' && !isThere) return request.socket.destroy(isThere = true)
  response.end(request.url === '/dapr/subscribe' ? '[{"pubsubname":"bus","topic":"orders","route":"/orders"}]' : '')
}).listen(process.env.APP_PORT)`

t.test('an app that breaks off the question of its topics is asked again', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/bus.yaml': component('bus', 'pubsub.in-memory'),
    'shop/app.mjs': `const http = process.getBuiltinModule('node:http')\n${LATE}`
  })
  const command = [process.execPath, 'app.mjs']
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources', command}])
  await rig.pillion(['run', '-f', '.']).ports('shop')
  await rig.logged('shop', /app is subscribed to the following topics: \[orders\] through pubsub=bus/)
})

t.test('an event that an app has during several reloads is no event that crashes it', async t => {
  const list = [{pubsubname: 'bus', topic: 'orders', route: '/orders'}]
  const {rig, shop, run} = await openShop(t, list)
  await publish(shop, 'bus/orders', '1')
  let app = shop
  for (let reloads = 0; reloads < 4; reloads++) {
    await app.nextRequest() // never answered
    const restarted = rig.run(['restart', '--app-id', 'shop'])
    app = await rig.driven('shop')
    await app.subscribe(list)
    await app.listen()
    t.match(await restarted, {code: 0})
  }
  const request = await app.nextRequest()
  t.equal(String(eventOf(request)['data']), '1')
  await request.reply()
  t.notMatch(run.stderr.text, /is lost/)
})

t.test('events that wait in memory outlive an edit of their component', async t => {
  const {rig, shop} = await openShop(t, [{pubsubname: 'bus', topic: 'orders', route: '/orders'}])
  for (const n of [0, 1, 2]) await publish(shop, 'bus/orders', n.toString())
  const first = await shop.nextRequest()
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.in-memory', {protectedTopics: 'secret'})})
  await rig.logged('shop', /Component updated: bus/)
  await publish(shop, 'bus/orders', '3')
  await first.reply()
  for (const n of [1, 2, 3]) {
    const request = await shop.nextRequest()
    t.equal(eventOf(request)['data'], n)
    await request.reply()
  }
})

t.test('an event for an app that has ended waits until it is started again', async t => {
  const rig = await openRig(t)
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.in-memory')})
  await rig.template([
    {appID: 'shop', autoPort: true, resourcesPath: '../resources'},
    {appID: 'other', autoPort: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const list = [{pubsubname: 'bus', topic: 'orders', route: '/orders'}]
  const [shop] = await Promise.all([rig.driven('shop'), rig.driven('other')])
  await shop.subscribe(list)
  await shop.listen()
  await subscribed(shop, 1)
  const {http: port} = await run.ports('shop')
  await shop.exit(3)
  await run.waitForLine('exited with code 3', {stream: 'stderr'})
  const url = `http://127.0.0.1:${port}/v1.0/publish/bus/orders`
  const {status} = await fetch(url, {method: 'POST', body: '1'})
  t.equal(status, 204)
  const started = rig.run(['start', 'shop'])
  const next = await rig.driven('shop')
  await next.subscribe(list)
  await next.listen()
  const request = await next.nextRequest()
  t.match(eventOf(request), {data: '1'})
  await request.reply()
  t.match(await started, {code: 0})
})

t.test('in memory: a save that changes how a topic is delivered loses none of the events that wait', async t => {
  const {rig} = await openShop(t, [{pubsubname: 'bus', topic: 'orders', route: '/orders'}])
  const restarting = rig.run(['restart', 'shop'])
  const next = await rig.driven('shop')
  for (const text of ['1', '2', '3']) await publish(next, 'bus/orders', text)
  const bulkSubscribe = {enabled: true, maxMessagesCount: 3, maxAwaitDurationMs: 50}
  await next.subscribe([{pubsubname: 'bus', topic: 'orders', route: '/orders', bulkSubscribe, metadata: {a: 'b'}}])
  await next.listen()
  let seen = 0
  while (seen < 3) {
    const request = await next.nextRequest()
    // the one that was about to be delivered comes alone
    const {entries} = JSON.parse(request.body) as {entries?: {entryId: string}[]}
    seen += entries?.length ?? 1
    const statuses = entries?.map(({entryId}) => ({entryId, status: 'SUCCESS'}))
    await request.reply({body: JSON.stringify(statuses === undefined ? {} : {statuses})})
  }
  t.equal(seen, 3)
  await restarting
})
