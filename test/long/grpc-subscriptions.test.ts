import type * as Api from '../../src/model/api.generated.ts'
import {fromBinary, toJson} from '@bufbuild/protobuf'
import {StructSchema} from '@bufbuild/protobuf/wkt'
import t, {type Test} from 'tap'
import type {Driven, Request} from '../rig/command.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {decode, encode, type Message} from '../../src/proxy/net/grpc/message-codec.ts'
import {
  ListTopicSubscriptionsResponse,
  TopicEventBulkRequest,
  TopicEventBulkResponse,
  TopicEventRequest,
  TopicEventResponse
} from '../../src/model/dapr/messages/appcallback.generated.ts'
import {PublishEventRequest} from '../../src/model/dapr/messages/pubsub.generated.ts'
import {component, subscribed} from '../e2e/pubsub-shop.ts'

const CALLBACK = '/dapr.proto.runtime.v1.AppCallback'

type Topic = Partial<Message<typeof ListTopicSubscriptionsResponse>['subscriptions'][number]>

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

interface Shop {
  readonly rig: Rig
  readonly run: Program
  readonly shop: Driven
  readonly client: DaprClient
  readonly publish: (
    topic: string,
    data: string,
    contentType?: string,
    metadata?: Record<string, string>
  ) => Promise<void>
}

/** An app of gRPC that lists these topics. */
async function openShop(
  t: Parameters<typeof openRig>[0] & ConstructorParameters<typeof DaprClient>[0],
  list: readonly Topic[] | undefined,
  files: Readonly<Record<string, string>> = {},
  count = list?.length ?? 0,
  more: Readonly<Record<string, unknown>> = {}
): Promise<Shop> {
  const rig = await openRig(t)
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.in-memory'), ...files})
  const app = {appID: 'shop', appProtocol: 'grpc', autoPort: true, resourcesPath: '../resources', logLevel: 'debug'}
  await rig.template([{...app, stop: {timeout: '500ms'}, ...more}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await begin(shop, list)
  await shop.configured // what is published before is lost
  await subscribed(shop, count)
  const client = new DaprClient(t, (await run.ports('shop')).grpc)
  const publish: Shop['publish'] = async (topic, data, contentType = 'application/json', metadata = {}) => {
    const message = {pubsubName: 'bus', topic, data: Buffer.from(data), dataContentType: contentType, metadata}
    const {code, message: why} = await client.call('PublishEvent', [PublishEventRequest, message])
    if (code !== 0) throw new Error(why)
  }
  return {rig, run, shop, client, publish}
}

async function begin(shop: Driven, list: readonly Topic[] | undefined): Promise<void> {
  if (list !== undefined)
    await shop.subscribe({
      status: 0,
      body: base64(
        encode(ListTopicSubscriptionsResponse, {
          subscriptions: list as Message<typeof ListTopicSubscriptionsResponse>['subscriptions']
        })
      )
    })
  await shop.listen({grpc: true})
}

const eventIn = ({body}: Request): Message<typeof TopicEventRequest> =>
  decode(TopicEventRequest, Buffer.from(body, 'base64'))

const reply = async (request: Request, status = 0): Promise<void> =>
  request.reply({status: 0, body: base64(encode(TopicEventResponse, {status}))})

t.test('an event reaches an app of gRPC: its fields, metadata and trace', async t => {
  const {shop, publish} = await openShop(t, [
    {pubsubName: 'bus', topic: 'orders'},
    {pubsubName: 'bus', topic: 'raw', metadata: {rawPayload: 'true'}},
    {pubsubName: 'bus', topic: 'routed', routes: {rules: [{match: 'event.type == "a"', path: '/a'}], default: '/other'}}
  ])
  const cases: readonly (readonly [type: string, sent: string, data: string, event: object])[] = [
    [
      'application/json',
      '{"n": 12345678901234567890}',
      '{"n":12345678901234567890}',
      {specVersion: '1.0', source: 'shop'}
    ],
    ['text/plain', 'pear', 'pear', {type: 'com.dapr.event.sent'}],
    ['application/json', '"pear"', '"pear"', {}],
    ['application/octet-stream', 'bytes', 'bytes', {}],
    ['application/vnd.x+json', '{"a":1}', '{"a":1}', {}],
    [
      'application/cloudevents+json',
      '{"id":"7","datacontenttype":"application/json","data":[1],"mine":{"n":1.5,"l":[true,null]}}',
      '[1]',
      {id: '7', source: 'Dapr'}
    ]
  ]
  for (const [contentType, sent, data, expected] of cases) {
    await publish('orders', sent, contentType, {partitionKey: '7', 'odd name': 'x', long: 'ä'})
    const request = await shop.nextRequest()
    t.match(request, {
      url: `${CALLBACK}/OnTopicEvent`,
      headers: {
        'content-type': 'application/grpc',
        partitionkey: '7',
        pubsubname: 'bus',
        traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-0\d$/,
        'grpc-trace-bin': /./,
        long: undefined
      }
    })
    const event = eventIn(request)
    t.match(event, {...expected, topic: 'orders', pubsubName: 'bus', path: ''})
    t.equal(Buffer.from(event.data).toString(), data)
    const {mine, ...extensions} = toJson(StructSchema, fromBinary(StructSchema, event.extensions))
    t.same(Object.keys(extensions).toSorted(), ['pubsubname', 'time', 'topic', 'traceid', 'traceparent', 'tracestate'])
    if (event.id === '7') t.same(mine, {n: 1.5, l: [true, null]})
    await reply(request)
  }
  await publish('raw', 'raw bytes', '', {rawPayload: 'true'})
  const raw = await shop.nextRequest()
  t.match(eventIn(raw), {dataContentType: 'application/octet-stream', data: Buffer.from('raw bytes')})
  await reply(raw)
  for (const [type, path] of [
    ['a', '/a'],
    ['b', '/other']
  ] as const) {
    await publish('routed', '1', 'text/plain', {'cloudevent.type': type})
    const request = await shop.nextRequest()
    t.match(eventIn(request), {path})
    await reply(request)
  }
})

/** The last of so many deliveries of a topic, in the tree of its request. */
async function standsBelowItsPublish(t: Test, rig: Rig, topic: string, deliveries: number): Promise<void> {
  const waited = await rig.run(['wait', '--for', `calls:shop:${deliveries}`, '--timeout', '20s'])
  t.equal(waited.code, 0, waited.stderr)
  const {json} = await ask(controlSocket(rig), `/api/v1/trace?q=${encodeURIComponent(`from:bus/${topic}`)}`)
  t.match((json as Api.RequestTree).nodes, [
    {kind: 'component', from: 'shop', to: `bus/${topic}`, what: 'publish'},
    {kind: 'call', from: `bus/${topic}`, to: 'shop', link: {reason: 'event', chance: 1, candidates: 1}}
  ])
}

t.test('in the tree of a request an event of gRPC is below its publish', async t => {
  const {rig, shop, publish} = await openShop(t, [{pubsubName: 'bus', topic: 'orders'}])
  for (const data of ['1', '2']) {
    await publish('orders', data)
    await reply(await shop.nextRequest())
  }
  await standsBelowItsPublish(t, rig, 'orders', 2)
})

t.test('in the tree of a request events of gRPC that come in bulk are below the publish of the last one', async t => {
  const bulkSubscribe = {enabled: true, maxMessagesCount: 2, maxAwaitDurationMs: 60_000}
  const {rig, shop, publish} = await openShop(t, [{pubsubName: 'bus', topic: 'many', bulkSubscribe}])
  for (const data of ['1', '2']) await publish('many', data)
  const request = await shop.nextRequest()
  const {entries} = decode(TopicEventBulkRequest, Buffer.from(request.body, 'base64'))
  const statuses = entries.map(({entryId}) => ({entryId, status: 0}))
  await request.reply({status: 0, body: base64(encode(TopicEventBulkResponse, {statuses}))})
  await standsBelowItsPublish(t, rig, 'many', 1)
})

t.test('what follows each answer of an app of gRPC', async t => {
  const {shop, run, publish} = await openShop(t, [
    {pubsubName: 'bus', topic: 'kept', deadLetterTopic: 'dead'},
    {pubsubName: 'bus', topic: 'dead'},
    {pubsubName: 'bus', topic: 'plain'}
  ])
  const cases: readonly (readonly [code: number, status: number, isDead: boolean])[] = [
    [0, 0, false],
    [0, 1, true],
    [0, 2, true],
    [0, 7, true],
    [12, 0, true],
    [13, 0, true],
    [14, 0, true]
  ]
  for (const [code, status, isDead] of cases) {
    const what = `${code} ${status}`
    await publish('kept', `"${what}"`)
    const request = await shop.nextRequest()
    t.match(eventIn(request), {topic: 'kept'}, what)
    if (code === 0) await reply(request, status)
    else await request.reply({status: code, headers: {'grpc-message': 'broken'}})
    if (!isDead) continue
    const dead = await shop.nextRequest()
    t.match(eventIn(dead), {topic: 'dead', data: Buffer.from(`"${what}"`)}, what)
    await reply(dead)
  }
  await publish('plain', '"lost"')
  await (await shop.nextRequest()).reply({status: 13, headers: {'grpc-message': 'broken'}})
  await run.waitForLine('failed to handle an event of topic plain in pubsub bus, which is lost: 13 broken.', {
    stream: 'stderr'
  })
})

t.test('events in bulk: statuses of entries; an app that knows only the older name', async t => {
  const bulk = {enabled: true, maxMessagesCount: 3, maxAwaitDurationMs: 60_000}
  const {shop, publish} = await openShop(t, [
    {pubsubName: 'bus', topic: 'many', bulkSubscribe: bulk, deadLetterTopic: 'dead'},
    {pubsubName: 'bus', topic: 'dead'}
  ])
  for (const isOld of [false, true, true]) {
    await Promise.all(['1', '2', '3'].map(async n => publish('many', n)))
    let request = await shop.nextRequest()
    if (isOld && request.url === `${CALLBACK}/OnBulkTopicEvent`) {
      await request.reply({status: 12})
      request = await shop.nextRequest()
    }
    t.equal(request.url, isOld ? `${CALLBACK}Alpha/OnBulkTopicEventAlpha1` : `${CALLBACK}/OnBulkTopicEvent`)
    const batch = decode(TopicEventBulkRequest, Buffer.from(request.body, 'base64'))
    t.match(batch, {
      id: /^[0-9a-f-]{36}$/,
      metadata: {pubsubName: 'bus'},
      topic: 'many',
      pubsubName: 'bus',
      type: 'com.dapr.event.sent.bulk',
      entries: [
        {contentType: 'application/cloudevents+json', cloudEvent: {source: 'shop', data: Buffer.from('1')}},
        {},
        {}
      ]
    })
    const statuses = batch.entries.slice(0, 2).map(({entryId}, at) => ({entryId, status: at}))
    await request.reply({status: 0, body: base64(encode(TopicEventBulkResponse, {statuses}))})
    for (const data of ['2', '3']) {
      const dead = await shop.nextRequest()
      t.match(eventIn(dead), {topic: 'dead', data: Buffer.from(data)})
      await reply(dead)
    }
  }
})

t.test('an event that cannot be written for gRPC takes no other one of its batch with it', async t => {
  const bulkSubscribe = {enabled: true, maxMessagesCount: 2, maxAwaitDurationMs: 60_000}
  const {run, shop, publish} = await openShop(t, [{pubsubName: 'bus', topic: 'many', bulkSubscribe}])
  const deep = '['.repeat(9000) + ']'.repeat(9000)
  await publish('many', `{"id":"deep","data":1,"more":${deep}}`, 'application/cloudevents+json')
  await publish('many', '2')
  const request = await shop.nextRequest()
  const {entries} = decode(TopicEventBulkRequest, Buffer.from(request.body, 'base64'))
  t.match(entries, [{cloudEvent: {data: Buffer.from('2')}}])
  t.equal(entries.length, 1)
  const statuses = entries.map(({entryId}) => ({entryId, status: 0}))
  await request.reply({status: 0, body: base64(encode(TopicEventBulkResponse, {statuses}))})
  await run.waitForLine('failed to handle an event of topic many in pubsub bus, which is lost: Maximum call stack', {
    stream: 'stderr'
  })
})

t.test('an app that lists nothing gets the topics of files', async t => {
  const {shop, run, publish} = await openShop(
    t,
    undefined,
    {
      'resources/orders.yaml': JSON.stringify({
        apiVersion: 'dapr.io/v2alpha1',
        kind: 'Subscription',
        metadata: {name: 'orders'},
        spec: {pubsubname: 'bus', topic: 'orders', routes: {default: '/declared'}}
      })
    },
    1
  )
  await publish('orders', '1')
  const request = await shop.nextRequest()
  t.match(eventIn(request), {path: '/declared'})
  await reply(request)
  t.equal(run.stderr.text, '')
})

t.test('events are held while an app of gRPC reloads, and reach its next process in order', async t => {
  const list = [{pubsubName: 'bus', topic: 'orders'}]
  const {rig, shop, publish} = await openShop(t, list)
  await publish('orders', '0')
  await shop.nextRequest() // never answered
  for (const n of ['1', '2']) await publish('orders', n)
  const restarted = rig.run(['restart', '--app-id', 'shop'])
  const next = await rig.driven('shop')
  await publish('orders', '3')
  await begin(next, list)
  t.match(await restarted, {code: 0})
  for (const data of ['0', '1', '2', '3']) {
    const request = await next.nextRequest()
    t.match(eventIn(request), {data: Buffer.from(data)})
    await reply(request)
  }
})

t.test('an event whose process dies before it answers reaches the next one', async t => {
  const list = [{pubsubName: 'bus', topic: 'orders'}]
  const {rig, shop, publish} = await openShop(t, list, {}, 1, {restart: 'on-failure'})
  await publish('orders', '1')
  await shop.nextRequest()
  await shop.die('SIGKILL')
  const next = await rig.driven('shop')
  await begin(next, list)
  const request = await next.nextRequest()
  t.match(eventIn(request), {data: Buffer.from('1')})
  await reply(request)
})

t.test('a delivery is recorded as a call from its topic, with its times; faults hit it', async t => {
  const {rig, shop, publish} = await openShop(t, [{pubsubName: 'bus', topic: 'orders'}], {
    'resources/policies.yaml': JSON.stringify({
      kind: 'Resiliency',
      metadata: {name: 'again'},
      spec: {
        policies: {retries: {again: {policy: 'constant', duration: '1ms', maxRetries: 9}}},
        targets: {components: {bus: {inbound: {retry: 'again'}}}}
      }
    })
  })
  const rows = async (filter: string): Promise<readonly Api.Call[]> =>
    (await rig.run(['calls', filter, '-o', 'ndjson'])).stdout
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Api.Call)
  await publish('orders', '"one"')
  await reply(await shop.nextRequest())
  let calls = await rows('from:bus/orders')
  while (calls[0]?.isOpen !== false) calls = await rows('from:bus/orders')
  t.match(calls, [
    {
      from: 'bus/orders',
      to: 'shop',
      path: /AppCallback\/OnTopicEvent$/,
      status: 0,
      marks: ['grpc', 'own'],
      isFailed: false
    }
  ])
  const [first] = calls
  t.ok(first !== undefined && first.requestBytes > 50 && first.pid !== 0 && first.attempts === 1)
  t.ok(first !== undefined && first.firstByteMs > 0 && first.totalMs >= first.firstByteMs)
  t.match((await rig.run(['calls', 'body:com.dapr.event.sent'])).stdout, /bus\/orders → shop/)

  const effects = [['--status', '503'], ['--abort'], ['--cut'], ['--delay', '1ms']]
  for (const effect of effects)
    t.equal((await rig.run(['fault', 'bus/orders', 'shop', ...effect, '--times', '1'])).code, 0)
  await publish('orders', '"two"')
  const cut = await shop.nextRequest()
  t.equal(String(eventIn(cut).data), '"two"')
  await cut.reply({status: 0, body: base64(encode(TopicEventResponse, {status: 0}))})
  await reply(await shop.nextRequest())
  let hit = await rows('is:fault')
  while (hit.length < 4 || hit.some(({isOpen}) => isOpen)) hit = await rows('is:fault')
  t.match(hit, [
    {status: 14, failure: 'fault 1 of Pillion'},
    {status: 14, failure: 'the connection was reset by a fault'},
    {status: 14, failure: 'cut by a fault'},
    {status: 0, failure: '', waitedFor: ['fault 4']}
  ])
})
