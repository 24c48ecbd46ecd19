import t from 'tap'
import {DaprClient} from '../rig/dapr-client.ts'
import {
  BulkPublishRequest,
  BulkPublishResponse,
  PublishEventRequest
} from '../../src/model/dapr/messages/pubsub.generated.ts'
import {component, eventOf, openShop} from './pubsub-shop.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

t.test('publishing over gRPC: the envelope by content type, metadata, the trace of the publisher', async t => {
  const {shop, run} = await openShop(t, [
    {pubsubname: 'bus', topic: 'orders', route: '/orders'},
    {pubsubname: 'bus', topic: 'raw', route: '/raw', metadata: {rawPayload: 'true'}}
  ])
  const client = new DaprClient(t, (await run.ports('shop')).grpc)
  const cases: readonly (readonly [type: string, data: string, event: object, metadata?: Record<string, string>])[] = [
    [
      'application/json',
      '{"n": 1}',
      {data: {n: 1}, datacontenttype: 'application/json', source: 'shop', topic: 'orders'}
    ],
    ['', 'pear', {data: 'pear', datacontenttype: 'text/plain'}],
    ['application/octet-stream', 'bytes', {data_base64: 'Ynl0ZXM='}],
    ['application/cloudevents+json', '{"id":"7","data":1,"source":"mine"}', {id: '7', data: 1, source: 'mine'}],
    ['text/plain', 'pear', {id: '8', type: 't'}, {'cloudevent.id': '8', 'cloudevent.type': 't'}]
  ]
  for (const [contentType, data, event, metadata = {}] of cases) {
    const message = {
      pubsubName: 'bus',
      topic: 'orders',
      data: Buffer.from(data),
      dataContentType: contentType,
      metadata
    }
    const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`
    t.match(
      await client.call('PublishEvent', [PublishEventRequest, message], undefined, {traceparent}),
      {code: 0},
      contentType
    )
    const request = await shop.nextRequest()
    t.match(eventOf(request), {...event, ...(!contentType.includes('events') && {traceparent: new RegExp(TRACE)})})
    t.match(request.headers, {traceparent})
    await request.reply()
  }
  const data = Buffer.from([0, 255])
  const raw = {pubsubName: 'bus', topic: 'raw', data, metadata: {rawPayload: 'true', key: '7'}}
  t.match(await client.call('PublishEvent', [PublishEventRequest, raw]), {code: 0})
  const request = await shop.nextRequest()
  t.match(request.headers, {key: '7', rawpayload: 'true', traceid: /^00-/})
  t.match(eventOf(request), {data_base64: 'AP8=', traceid: /^00-/})
  await request.reply()
})

const entry = (entryId: string) => ({
  entryId,
  event: Buffer.from('1'),
  contentType: 'application/json',
  metadata: {k: '1'}
})

t.test('several events in one call, those that are refused, and other errors', async t => {
  const {shop, run} = await openShop(t, [{pubsubname: 'bus', topic: 'orders', route: '/orders'}], {
    'resources/guarded.yaml': component('guarded', 'pubsub.in-memory', {publishingScopes: 'shop='})
  })
  const client = new DaprClient(t, (await run.ports('shop')).grpc)
  for (const name of ['BulkPublishEventAlpha1', 'BulkPublishEvent']) {
    const message = {pubsubName: 'bus', topic: 'orders', entries: [entry('a'), entry('b')], metadata: {m: '2'}}
    t.match(await client.call(name, [BulkPublishRequest, message], BulkPublishResponse), {
      code: 0,
      answer: {failedEntries: []}
    })
    for (let n = 0; n < 2; n++) {
      const request = await shop.nextRequest()
      t.match(request.headers, {k: '1', m: '2'})
      t.match(eventOf(request), {data: 1})
      await request.reply()
    }
  }
  const errors: readonly (readonly [name: string, message: object, code: number, text: string, details?: RegExp])[] = [
    ['PublishEvent', {}, 3, 'pubsub name is empty', /DAPR_PUBSUB_NAME_EMPTY.*dapr\.io/s],
    ['PublishEvent', {pubsubName: 'bus'}, 3, 'topic is empty in pubsub bus', /TOPIC_NAME_EMPTY.*ResourceInfo/s],
    [
      'PublishEvent',
      {pubsubName: 'buss', topic: 't'},
      3,
      'pubsub buss is not found (did you mean bus?)',
      /DAPR_PUBSUB_NOT_FOUND/
    ],
    [
      'PublishEvent',
      {pubsubName: 'guarded', topic: 't'},
      7,
      'topic t is not allowed for app id shop',
      /DAPR_PUBSUB_FORBIDDEN.*ResourceInfo.*pubsub.*guarded/s
    ],
    [
      'PublishEvent',
      {pubsubName: 'bus', topic: 't', metadata: {rawPayload: 'x'}},
      3,
      "failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is 'x'",
      /DAPR_PUBSUB_METADATA_DESERIALIZATION/
    ],
    [
      'PublishEvent',
      {pubsubName: 'bus', topic: 't', data: Buffer.from('['), dataContentType: 'application/cloudevents+json'},
      3,
      'cannot create cloudevent',
      /DAPR_PUBSUB_CLOUD_EVENT_CREATION.*appID.*shop/s
    ],
    [
      'BulkPublishEvent',
      {pubsubName: 'bus', topic: 't', entries: [entry('a'), entry('a')]},
      3,
      'error marshaling events to bytes for topic t pubsub bus. error: entryId is duplicated or not present for entry',
      /DAPR_PUBSUB_MARSHAL_EVENTS/
    ],
    ['BulkPublishEvent', {pubsubName: 'guarded', topic: 't', entries: [entry('a')]}, 7, 'topic t is not allowed']
  ]
  for (const [name, message, code, text, details = /^/] of errors) {
    const outcome =
      name === 'PublishEvent'
        ? client.call(name, [PublishEventRequest, message])
        : client.call(name, [BulkPublishRequest, message])
    const {message: told, ...rest} = await outcome
    t.match(rest, {code, details}, text)
    t.ok(told.startsWith(text), told)
  }
})
