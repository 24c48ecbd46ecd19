import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'
import {component, openShop, publish} from './pubsub-shop.ts'
import {zipkin} from './zipkin.ts'

const write = async (rig: Rig, tracing: object): Promise<void> => {
  await rig.write({'config.yaml': JSON.stringify({kind: 'Configuration', spec: {tracing}})})
  await rig.template([{appID: 'shop'}, {appID: 'stock', autoPort: true}], {configFilePath: './config.yaml'})
}

t.test('the spans of a call: one of each sidecar, below that of the caller, sent to Zipkin', async t => {
  const rig = await openRig(t)
  const {url, spans} = await zipkin(t)
  await write(rig, {samplingRate: '1', zipkin: {endpointAddress: url}})
  const run = rig.pillion(['run', '-f', '.'])
  const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
  await stock.listen()
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const answer = shop.fetch('/v1.0/invoke/stock/method/items/7?x=1?y=2', {
    headers: {traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: 'a=b', 'dapr-flag': 'on'}
  })
  const call = await stock.nextRequest()
  const sent = String(call.headers['traceparent'])
  t.equal(call.headers['tracestate'], 'a=b')
  await call.reply({status: 503})
  const {headers} = await answer
  const unsampled = `00-${traceId}-b7ad6b7169203331-00`
  await stock.answer({status: 200})
  t.match(await shop.fetch('/v1.0/invoke/stock/method/x', {headers: {traceparent: unsampled}}), {status: 200})
  t.match(await shop.fetch('/v1.0/metadata'), {status: 200})
  t.match(await run.end('SIGINT'), {code: 0})
  t.equal(run.stderr.text, '')
  const own = spans.find(span => span.kind === 'CLIENT' && span.traceId === traceId)
  const theirs = spans.find(span => span.kind === 'SERVER')
  t.match(own, {
    parentId: 'b7ad6b7169203331',
    name: /^calllocal\/stock\/items\/7$/i,
    localEndpoint: {serviceName: 'shop'},
    tags: {
      'dapr.api': 'GET /v1.0/invoke/stock/method/items/7',
      'dapr.status_code': '503',
      'dapr.protocol': 'http',
      'rpc.service': 'ServiceInvocation',
      'net.peer.name': 'stock',
      'dapr-flag': 'on',
      'url.full': '/v1.0/invoke/stock/method/items/7?x=1?y=2'
    }
  })
  t.match(theirs, {traceId, parentId: own?.id, localEndpoint: {serviceName: 'stock'}})
  t.equal(sent, `00-${traceId}-${theirs?.id ?? ''}-01`, 'the app is below the span of its sidecar')
  t.equal(headers['traceparent'], `00-${traceId}-${own?.id ?? ''}-01`, 'the caller hears of the span of his')
  t.equal(spans.length, 3, 'what the caller does not sample is not sent')
  t.ok(spans.some(({tags}) => tags['dapr.api'] === 'GET /v1.0/metadata'))
})

t.test('an exporter that is down, or never answers, costs one warning and no call', async t => {
  const silent = (await zipkin(t, false)).url
  for (const [url, expected] of [
    [
      'http://127.0.0.1:1/api/v2/spans',
      /^⚠ {2}spans cannot be sent to Zipkin at http:\/\/127\.0\.0\.1:1\/api\/v2\/spans: /m
    ],
    [silent, /^$/]
  ] as const) {
    const rig = await openRig(t)
    await write(rig, {samplingRate: '1', zipkin: {endpointAddress: url}})
    const run = rig.pillion(['run', '-f', '.'])
    const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
    await stock.answer({status: 200})
    await stock.listen()
    for (let count = 0; count < 20; count++) t.match(await shop.fetch('/v1.0/invoke/stock/method/x'), {status: 200})
    t.match(await run.end('SIGINT'), {code: 0})
    t.match(run.stderr.text, expected)
    t.ok(run.stderr.text.split('spans cannot be sent').length <= 2, 'told once')
  }
})

t.test('spans as lines of the sidecar’s log, from a Configuration that changes while the run goes on', async t => {
  const rig = await openRig(t)
  await write(rig, {samplingRate: '0'})
  const run = rig.pillion(['run', '-f', '.'])
  const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
  await stock.answer({status: 200})
  await stock.listen()
  const fetch = async () => shop.fetch('/v1.0/invoke/stock/method/x')
  t.equal((await fetch()).headers['traceparent'], undefined)
  await rig.write({
    'config.yaml': JSON.stringify({kind: 'Configuration', spec: {tracing: {samplingRate: '1', stdout: true}}})
  })
  let traceparent: string | undefined
  while (traceparent === undefined) ({traceparent} = (await fetch()).headers)
  t.match(traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  t.match(await run.end('SIGINT'), {code: 0})
})

t.test('the spans of an event: that of publishing it, below that its delivery; those of calls to state', async t => {
  const {url, spans} = await zipkin(t)
  const tracing = {samplingRate: '1', zipkin: {endpointAddress: url}}
  const {run, shop} = await openShop(t, [{pubsubname: 'bus', topic: 'orders', route: '/orders'}], {
    'resources/store.yaml': component('store', 'state.in-memory'),
    'config.yaml': JSON.stringify({kind: 'Configuration', spec: {tracing}})
  })
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`
  await publish(shop, 'bus/orders', '1', {'content-type': 'application/json', traceparent})
  const delivered = await shop.nextRequest()
  const sent = String(delivered.headers['traceparent'])
  await delivered.reply({status: 503})
  t.match(await shop.fetch('/v1.0/state/store/a'), {status: 204})
  await run.waitForLine('is lost', {stream: 'stderr'})
  t.match(await run.end('SIGINT'), {code: 0})
  const published = spans.find(({name}) => name === '/v1.0/publish/bus/orders')
  t.match(published, {
    traceId,
    parentId: 'b7ad6b7169203331',
    tags: {'messaging.system': 'pubsub', 'messaging.destination.name': 'orders'}
  })
  const delivery = spans.find(({name}) => name === 'pubsub/orders')
  t.match(delivery, {
    traceId,
    parentId: published?.id,
    kind: 'CLIENT',
    tags: {'messaging.system': 'pubsub', 'messaging.destination.name': 'orders', error: /503/}
  })
  t.equal(sent, `00-${traceId}-${delivery?.id ?? ''}-01`, 'the app is below the span of its delivery')
  t.match(spans.find(({name}) => name === '/v1.0/state/store/a')?.tags, {
    'db.system': 'state',
    'db.name': 'store',
    'db.statement': 'GET /v1.0/state/store/a'
  })
})
