import t, {type Test} from 'tap'
import {DaprClient, type DaprStream} from '../rig/dapr-client.ts'
import {freePort} from '../rig/free-port.ts'
import type {Driven} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import type {Message} from '../../src/proxy/net/grpc/message-codec.ts'
import {
  PublishEventRequest,
  SubscribeTopicEventsRequestAlpha1,
  SubscribeTopicEventsResponseAlpha1
} from '../../src/model/dapr/messages/pubsub.generated.ts'
import {component} from '../e2e/pubsub-shop.ts'

const NAME = 'SubscribeTopicEventsAlpha1'
const SCHEMAS = {sent: SubscribeTopicEventsRequestAlpha1, told: SubscribeTopicEventsResponseAlpha1}

/** GetMetadataResponse, as far as it is about subscriptions. */
const METADATA = {
  subscriptions: [
    5,
    {
      list: {
        pubsubName: [1, 'string'],
        topic: [2, 'string'],
        rules: [4, {message: {rules: [1, {list: {match: [1, 'string'], path: [2, 'string']}}]}}],
        deadLetterTopic: [5, 'string'],
        type: [6, 'int32']
      }
    }
  ]
} as const

type Stream = DaprStream<typeof SubscribeTopicEventsRequestAlpha1, typeof SubscribeTopicEventsResponseAlpha1>
type Initial = Partial<NonNullable<Message<typeof SubscribeTopicEventsRequestAlpha1>['initialRequest']>>
type Event = NonNullable<Message<typeof SubscribeTopicEventsResponseAlpha1>['eventMessage']>

interface Shop {
  readonly rig: Rig
  readonly run: Program
  readonly shop: Driven
  readonly client: DaprClient
  readonly publish: (topic: string, data: string) => Promise<void>
}

/** An app without a port. */
async function openShop(t: Test, files: Readonly<Record<string, string>> = {}): Promise<Shop> {
  const rig = await openRig(t)
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.in-memory'), ...files})
  await rig.template([{appID: 'shop', resourcesPath: '../resources', logLevel: 'debug'}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  const client = new DaprClient(t, (await run.ports('shop')).grpc)
  const publish = async (topic: string, data: string): Promise<void> => {
    const message = {pubsubName: 'bus', topic, data: Buffer.from(data), dataContentType: 'text/plain'}
    t.match(await client.call('PublishEvent', [PublishEventRequest, message]), {code: 0})
  }
  return {rig, run, shop, client, publish}
}

function begin(client: DaprClient, initial: Initial): Stream {
  const stream = client.stream(NAME, SCHEMAS)
  const whole = {pubsubName: 'bus', topic: 'orders', metadata: {}, deadLetterTopic: '', ...initial}
  stream.send({initialRequest: whole})
  return stream
}

async function subscribe(t: Test, client: DaprClient, initial: Initial = {}): Promise<Stream> {
  const stream = begin(client, initial)
  t.match(await stream.next(), {initialResponse: {}, eventMessage: undefined})
  return stream
}

async function eventOf(stream: Stream): Promise<Event> {
  const told = await stream.next()
  if ('code' in told || told.eventMessage === undefined) throw new Error(`no event: ${JSON.stringify(told)}`)
  return told.eventMessage
}

const answer = (stream: Stream, id: string, status = 0): void => stream.send({eventProcessed: {id, status: {status}}})

const textOf = ({data}: Event): string => Buffer.from(data).toString()

t.test('a streamed subscription: events are answered by their ids, in any order', async t => {
  const {shop, client, publish} = await openShop(t)
  const stream = await subscribe(t, client, {deadLetterTopic: 'dead'})
  const dead = await subscribe(t, client, {topic: 'dead'})
  const {body} = await shop.fetch('/v1.0/metadata')
  const told = {pubsubname: 'bus', rules: [{path: '/'}], type: 'STREAMING'}
  t.match((JSON.parse(body) as {subscriptions: object[]}).subscriptions, [
    {...told, topic: 'orders', deadLetterTopic: 'dead'},
    {...told, topic: 'dead', deadLetterTopic: ''}
  ])
  const {answer: listed} = await client.call('GetMetadata', [PublishEventRequest, {}], METADATA)
  t.match(listed?.subscriptions, [
    {pubsubName: 'bus', topic: 'orders', rules: {rules: [{match: '', path: '/'}]}, deadLetterTopic: 'dead', type: 3},
    {topic: 'dead', type: 3}
  ])
  await publish('orders', 'one')
  const event = await eventOf(stream)
  t.match(event, {id: /./, source: 'shop', topic: 'orders', pubsubName: 'bus', path: '/', specVersion: '1.0'})
  t.equal(textOf(event), 'one')
  answer(stream, 'nobody waits for this')
  for (const [text, status] of [
    ['retry', 1],
    ['drop', 2],
    ['odd', 7]
  ] as const) {
    answer(stream, event.id)
    await publish('orders', text)
    const next = await eventOf(stream)
    answer(stream, next.id, status)
    const lost = await eventOf(dead)
    t.equal(textOf(lost), text)
    answer(dead, lost.id)
  }
  stream.call.end()
  t.match(await stream.next(), {code: 0})
  dead.call.cancel()
  t.match(await dead.next(), {code: 1})
})

t.test('several streams of one topic; raw payloads', async t => {
  const {client, publish} = await openShop(t)
  const first = await subscribe(t, client)
  const second = await subscribe(t, client, {metadata: {rawPayload: 'true'}})
  await publish('orders', 'x')
  const [event, raw] = await Promise.all([eventOf(first), eventOf(second)])
  t.equal(textOf(event), 'x')
  t.match(raw, {dataContentType: 'application/octet-stream'})
  t.match(JSON.parse(textOf(raw)), {data: 'x', id: event.id})
  answer(first, event.id)
  answer(second, raw.id)
})

t.test('what is in the wrong order, or may not be', async t => {
  const {client} = await openShop(t, {
    'resources/guarded.yaml': component('guarded', 'pubsub.in-memory', {subscriptionScopes: 'shop=a'})
  })
  const cases: readonly (readonly [initial: Initial, code: number, message: string])[] = [
    [{pubsubName: ''}, 2, 'pubsubName is required'],
    [{topic: ''}, 2, 'topic is required'],
    [{pubsubName: 'buss'}, 3, 'pubsub buss is not found (did you mean bus?)'],
    [
      {pubsubName: 'guarded'},
      2,
      "failed to create subscription for guarded: subscription to topic 'orders' on pubsub 'guarded' is not allowed"
    ]
  ]
  for (const [initial, code, message] of cases) t.same(await begin(client, initial).next(), {code, message})
  const early = client.stream(NAME, SCHEMAS)
  answer(early, '1')
  t.same(await early.next(), {code: 2, message: 'initial request is required'})
  const none = client.stream(NAME, SCHEMAS)
  none.call.end()
  t.same(await none.next(), {code: 2, message: 'EOF'})
  const odd = client.stream(NAME, SCHEMAS)
  odd.call.write(Buffer.from([255]))
  t.match(await odd.next(), {code: 13, message: /error unmarshalling request/})
  const twice = await subscribe(t, client)
  twice.send({initialRequest: {pubsubName: 'bus', topic: 'orders', metadata: {}, deadLetterTopic: ''}})
  t.same(await twice.next(), {code: 2, message: 'duplicate initial request received'})
})

t.test('Redis: one of several streams gets each event; what a stream has not answered comes again', async t => {
  const port = await freePort()
  const redisHost = `localhost:${port}`
  const {client} = await openShop(t, {
    'resources/hasty.yaml': component('hasty', 'pubsub.redis', {
      redisHost,
      processingTimeout: '50ms',
      redeliverInterval: '50ms'
    }),
    'resources/redis.yaml': component('redis', 'pubsub.redis', {redisHost})
  })
  const publish = async (data: string, topic = 'orders'): Promise<void> => {
    const message = {pubsubName: 'redis', topic, data: Buffer.from(data), dataContentType: 'text/plain'}
    t.match(await client.call('PublishEvent', [PublishEventRequest, message]), {code: 0})
  }
  const left = await subscribe(t, client, {pubsubName: 'hasty', topic: 'left'})
  await publish('1', 'left')
  t.equal(textOf(await eventOf(left)), '1')
  left.call.cancel()
  t.match(await left.next(), {code: 1})
  const later = await subscribe(t, client, {pubsubName: 'hasty', topic: 'left'})
  const again = await eventOf(later)
  t.equal(textOf(again), '1')
  answer(later, again.id)
  const second = await subscribe(t, client, {pubsubName: 'redis'})
  const third = await subscribe(t, client, {pubsubName: 'redis'})
  const numbers = Array.from({length: 20}, (_, n) => n.toString())
  await Promise.all(numbers.map(async n => publish(n)))
  const got: string[] = []
  const take = async (stream: Stream): Promise<void> => {
    while (got.length < numbers.length) {
      const told = await stream.next()
      if ('code' in told || told.eventMessage === undefined) return
      got.push(textOf(told.eventMessage))
      answer(stream, told.eventMessage.id)
      if (got.length < numbers.length) continue
      second.call.cancel()
      third.call.cancel()
    }
  }
  await Promise.all([take(second), take(third)])
  t.same(got.toSorted(), numbers.toSorted(), 'each once')
})

t.test('the sidecar stops: what is in hand may be answered, and the stream ends', async t => {
  const {rig, run, client, publish} = await openShop(t)
  const stream = await subscribe(t, client)
  await publish('orders', 'one')
  const {grpc} = await run.ports('shop')
  const {id} = await eventOf(stream)
  const stopped = rig.run(['stop', '-f', '.'])
  const isOpen = async (): Promise<boolean> =>
    (await new DaprClient(t, grpc).call('GetMetadata', [PublishEventRequest, {}])).code === 0
  while (await isOpen());
  answer(stream, id)
  t.match(await stream.next(), {code: 2, message: 'stream closed'})
  t.match(await stopped, {code: 0})
})

t.test('a component that changes: streams read on', async t => {
  const {rig, client, publish} = await openShop(t)
  const stream = await subscribe(t, client)
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.in-memory', {publishingScopes: 'shop=orders'})})
  for (;;) {
    const message = {pubsubName: 'bus', topic: 'none', data: Buffer.from('1')}
    const {code} = await client.call('PublishEvent', [PublishEventRequest, message])
    if (code === 7) break
  }
  // in memory an event is gone while nobody reads
  const events: Event[] = []
  const come = eventOf(stream).then(event => events.push(event))
  while (events.length === 0) await publish('orders', 'one')
  await come
  t.match(events.map(textOf), ['one'])
})

t.test('a stream whose deadline is over before it begins ends with it, without a word of Node about it', async t => {
  const {run, client} = await openShop(t)
  const stream = client.stream(NAME, SCHEMAS, {'grpc-timeout': '1n'})
  t.match(await stream.next(), {code: 4})
  t.match(await run.end(), {code: 0})
  t.notMatch(run.stderr.text, 'Warning')
})
