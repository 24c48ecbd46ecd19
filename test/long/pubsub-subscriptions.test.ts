import t from 'tap'
import type {Driven, Request} from '../rig/command.ts'
import {component, eventOf, openShop, publish, subscribed} from '../e2e/pubsub-shop.ts'

const subscription = (name: string, spec: object, scopes: readonly string[] = []): string =>
  JSON.stringify({apiVersion: 'dapr.io/v2alpha1', kind: 'Subscription', metadata: {name}, spec, scopes})

const answered = async (shop: Driven): Promise<Request> => {
  const request = await shop.nextRequest()
  await request.reply()
  return request
}

t.test('subscriptions of files: routes by rules, scopes, what the app lists wins; files are followed', async t => {
  const rules = [
    {match: 'event.type == "sold"', path: '/sold'},
    {match: 'has(event.data.n) && event.data.n > 5', path: '/large'},
    {match: 'event.data.missing == 1', path: '/never'}
  ]
  const {rig, run, shop} = await openShop(
    t,
    [{pubsubname: 'bus', topic: 'listed', route: '/listed'}],
    {
      'resources/a.yaml': subscription('routed', {
        pubsubname: 'bus',
        topic: 'routed',
        routes: {rules, default: '/other'},
        deadLetterTopic: 'dead'
      }),
      'resources/b.yaml': `apiVersion: dapr.io/v1alpha1\nkind: Subscription\nmetadata: {name: b}\nspec: {pubsubname: bus, topic: listed, route: /file}\n`,
      'resources/c.yaml': subscription('theirs', {pubsubname: 'bus', topic: 'theirs', routes: {default: '/x'}}, [
        'stock'
      ]),
      'resources/d.yaml': `apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {name: d}\nspec:\n  pubsubname: bus\n  topic: bad\n  routes:\n    rules: [{match: 'event.type = "a"', path: /a}]\n`
    },
    2
  )
  const cases: readonly (readonly [event: object, url: string])[] = [
    [{type: 'sold', data: 1}, '/sold'],
    [{type: 'x', data: {n: 7}}, '/large'],
    [{type: 'x', data: {n: 5}}, '/other'],
    [{type: 'x', data: 'text'}, '/other']
  ]
  for (const [event, url] of cases) {
    await publish(shop, 'bus/routed', JSON.stringify({id: '1', ...event}), {
      'content-type': 'application/cloudevents+json'
    })
    t.match(await answered(shop), {url}, JSON.stringify(event))
  }
  await publish(shop, 'bus/listed', '1')
  t.match(await answered(shop), {url: '/listed'}, 'what the app lists wins')
  await run.waitForLine(/resources\/d\.yaml:8:33: the rule does not compile: .*: this Subscription is left out/, {
    stream: 'stderr'
  })
  // the one that is waited for is the last
  await rig.write({
    'resources/a.yaml': subscription('routed', {pubsubname: 'bus', topic: 'routed', routes: {default: '/changed'}}),
    'resources/d.yaml': subscription('d', {pubsubname: 'bus', topic: 'late', routes: {default: '/late'}})
  })
  await subscribed(shop, 3)
  await publish(shop, 'bus/late', '1')
  t.match(await answered(shop), {url: '/late'})
  await publish(shop, 'bus/routed', '1')
  t.match(await answered(shop), {url: '/changed'})
})

t.test('an invalid rule of the app leaves out its subscription alone; nothing fits: the dead letter topic', async t => {
  const {shop} = await openShop(
    t,
    [
      {pubsubname: 'bus', topic: 'bad', routes: {rules: [{match: 'event.type ==', path: '/bad'}]}},
      {pubsubname: 'bus', topic: 'no-route'},
      {pubsubname: 'none', topic: 'orders', route: '/x'},
      {
        pubsubname: 'bus',
        topic: 'good',
        routes: {rules: [{match: 'event.type == "sold"', path: '/good'}]},
        deadLetterTopic: 'dead'
      },
      {pubsubname: 'bus', topic: 'dead', route: '/dead'},
      {pubsubname: 'bus', topic: 'raw', route: '/raw', metadata: {rawPayload: 'true'}},
      {pubsubname: 'bus', topic: 'wild*', route: '/wild'}
    ],
    {},
    5
  )
  await publish(shop, 'bus/good', '1')
  t.match(await answered(shop), {url: '/dead'})
  await publish(shop, 'bus/raw?metadata.rawPayload=true', 'pear')
  const raw = await answered(shop)
  t.match(eventOf(raw), {
    data_base64: Buffer.from('pear').toString('base64'),
    datacontenttype: 'application/octet-stream',
    source: 'Dapr',
    type: 'com.dapr.event.sent',
    topic: 'raw',
    pubsubname: 'bus'
  })
  t.match(raw.headers, {rawpayload: 'true'})
  await publish(shop, 'bus/raw', '1')
  const inner = Buffer.from(String(eventOf(await answered(shop))['data_base64']), 'base64').toString()
  t.match(JSON.parse(inner), {data: 1}, 'an event in its envelope arrives whole')
  const late = {'content-type': 'application/cloudevents+json'}
  await publish(shop, 'bus/good', '{"id":"1","type":"sold","expiration":"2020-01-01T00:00:00Z"}', late)
  await publish(shop, 'bus/wild-pear', '1')
  t.match(await answered(shop), {url: '/wild'}, 'an expired event is dropped; a topic may hold a *')
})

const info = (reason: string, metadata: object): object => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  domain: 'dapr.io',
  metadata,
  reason
})

t.test('errors of publishing, and the scopes of a component', async t => {
  const scopes = {
    allowedTopics: 'a, b, c',
    protectedTopics: 'c',
    publishingScopes: 'shop = a;stock=b',
    subscriptionScopes: 'stock=a'
  }
  const {shop} = await openShop(
    t,
    [
      {pubsubname: 'scoped', topic: 'a', route: '/a'},
      {pubsubname: 'scoped', topic: 'c', route: '/c'}
    ],
    {'resources/scoped.yaml': component('scoped', 'pubsub.in-memory', scopes)}
  )
  const cases: readonly (readonly [path: string, body: string, status: number, error: object])[] = [
    [
      'bsu/a?metadata.x=1',
      '1',
      404,
      {
        errorCode: 'ERR_PUBSUB_NOT_FOUND',
        message: 'pubsub bsu is not found (did you mean bus?)',
        details: [info('DAPR_PUBSUB_NOT_FOUND', {x: '1'})]
      }
    ],
    [
      'scoped/b',
      '1',
      403,
      {
        errorCode: 'ERR_PUBSUB_FORBIDDEN',
        message: 'topic b is not allowed for app id shop',
        details: [
          info('DAPR_PUBSUB_FORBIDDEN', {error: 'topic b is not allowed for app id shop', topic: 'b'}),
          {
            '@type': 'type.googleapis.com/google.rpc.ResourceInfo',
            description: 'topic b is not allowed for app id shop',
            owner: '',
            resource_name: 'scoped',
            resource_type: 'pubsub'
          }
        ]
      }
    ],
    ['scoped/d', '1', 403, {message: 'topic d is not allowed for app id shop'}],
    [
      'bus/a?metadata.rawPayload=maybe',
      '1',
      400,
      {
        errorCode: 'ERR_PUBSUB_REQUEST_METADATA',
        message: "failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is 'maybe'"
      }
    ],
    ['bus/', '1', 404, {errorCode: 'ERR_DIRECT_INVOKE'}]
  ]
  for (const [path, body, status, error] of cases) {
    const answer = await shop.fetch(`/v1.0/publish/${path}`, {method: 'POST', body})
    t.equal(answer.status, status, path)
    t.match(JSON.parse(answer.body), error, path)
  }
  const broken = await shop.fetch('/v1.0/publish/bus/a', {
    method: 'POST',
    headers: {'content-type': 'application/cloudevents+json'},
    body: '[1]'
  })
  t.match(broken, {
    status: 500,
    body: /^\{"errorCode":"ERR_PUBSUB_CLOUD_EVENTS_SER","message":"cannot create cloudevent/
  })
  await publish(shop, 'scoped/a', '1')
  t.match(await answered(shop), {url: '/a'}, 'an app that no scope names may subscribe to what is not protected')
})

/** JSON with its keys in capitals, as other serializers write it. */
const inCapitals = (text: string): string =>
  text.replaceAll(/"(\w)(\w+)":/g, (_, a: string, b: string) => `"${a.toUpperCase()}${b}":`)

t.test('many events in one request, published and delivered', async t => {
  const {shop} = await openShop(t, [
    {
      pubsubname: 'bus',
      topic: 'orders',
      route: '/orders',
      bulkSubscribe: {enabled: true, maxMessagesCount: 3, maxAwaitDurationMs: 60_000},
      deadLetterTopic: 'dead'
    },
    {pubsubname: 'bus', topic: 'dead', route: '/dead'}
  ])
  const entries = [
    {entryId: '1', event: {n: 12345678901234567890n.toString()}, contentType: 'application/json', metadata: {key: 'a'}},
    {entryId: '2', event: 'pear', contentType: 'text/plain'},
    {entryId: '3', event: 'AAE=', contentType: 'application/octet-stream'}
  ]
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  for (const [path, all, written] of [
    ['v1.0-alpha1/publish/bulk/bus/orders?metadata.all=1', {all: '1'}, (text: string) => text],
    ['v1.0/publish/bulk/bus/orders', {}, inCapitals]
  ] as const) {
    const body = JSON.stringify(entries)
    t.match(await shop.fetch(`/${path}`, {method: 'POST', body, headers: {traceparent}}), {status: 204, body: ''})
    const request = await shop.nextRequest()
    t.match(request, {url: '/orders', headers: {'content-type': 'application/json', pubsubname: 'bus', traceparent}})
    const bulk = JSON.parse(request.body) as {entries: {entryId: string; event: object; metadata: object}[]}
    t.match(bulk, {
      id: /^[0-9a-f-]{36}$/,
      topic: 'orders',
      pubsubname: 'bus',
      metadata: {pubsubName: 'bus'},
      type: 'com.dapr.event.sent.bulk',
      entries: [
        {event: {data: {n: '12345678901234567890'}}},
        {event: {data: 'pear'}, contentType: 'application/cloudevents+json'},
        {event: {data_base64: 'AAE='}}
      ]
    })
    t.strictSame(
      bulk.entries.map(({metadata}) => metadata),
      [{...all, key: 'a'}, all, all]
    )
    const [first, second] = bulk.entries
    const statuses = [
      {entryId: first?.entryId, status: 'SUCCESS'},
      {entryId: second?.entryId, status: 'DROP'}
    ]
    await request.reply({body: written(JSON.stringify({statuses}))})
    const dead = [await answered(shop), await answered(shop)].map(each => eventOf(each))
    t.match(dead, [{data: 'pear'}, {data_base64: 'AAE='}], 'one was dropped, one has no status')
  }
  const bad: readonly (readonly [body: string, why: string])[] = [
    ['[{"entryId":"1","event":1,"contentType":"text/plain"}]', 'error: mismatch between contentType and event'],
    ['[{"event":1,"contentType":"application/json"}]', 'entryId is duplicated or not present for entry'],
    [
      '[{"entryId":"1","event":"?","contentType":"application/octet-stream"}]',
      'error: unable to decode base64 application/octect-stream data'
    ]
  ]
  for (const [body, why] of bad) {
    const answer = await shop.fetch('/v1.0/publish/bulk/bus/orders', {method: 'POST', body})
    t.equal(answer.status, 400, body)
    const {errorCode, message} = JSON.parse(answer.body) as {errorCode: string; message: string}
    t.equal(errorCode, 'ERR_PUBSUB_EVENTS_SER')
    t.ok(message.startsWith(`error marshaling events to bytes for topic orders pubsub bus. error: ${why}`), message)
  }
  t.match(await shop.fetch('/v1.0/publish/bulk/bus/orders', {method: 'POST', body: '[]'}), {status: 204})
  t.match(await shop.fetch('/v1.0/publish/bulk/bus/orders', {method: 'POST', body: '{'}), {
    status: 400,
    body: /error when unmarshaling the request for topic orders pubsub bus: /
  })
})

t.test('the inbound policies of a component deliver a failed event again', async t => {
  const {shop} = await openShop(
    t,
    [
      {pubsubname: 'bus', topic: 'orders', route: '/orders', deadLetterTopic: 'dead'},
      {pubsubname: 'bus', topic: 'dead', route: '/dead'}
    ],
    {
      'resources/policies.yaml': JSON.stringify({
        apiVersion: 'dapr.io/v1alpha1',
        kind: 'Resiliency',
        metadata: {name: 'policies'},
        spec: {
          policies: {retries: {twice: {policy: 'constant', duration: '1ms', maxRetries: 2}}, timeouts: {short: '3s'}},
          targets: {components: {bus: {inbound: {retry: 'twice', timeout: 'short'}}}}
        }
      })
    }
  )
  await publish(shop, 'bus/orders', '1')
  await (await shop.nextRequest()).reply({status: 500})
  await (await shop.nextRequest()).reply({body: '{"status":"RETRY"}'})
  t.match(await answered(shop), {url: '/orders'}, 'the third time it is taken')
  await publish(shop, 'bus/orders', '2')
  await shop.nextRequest() // not answered in time
  await (await shop.nextRequest()).reply({status: 503})
  await (await shop.nextRequest()).reply({status: 503})
  const dead = await answered(shop)
  t.match(dead, {url: '/dead'}, 'then it is a dead letter')
  t.match(eventOf(dead), {data: 2, topic: 'orders'})
  await publish(shop, 'bus/orders', '3')
  await (await shop.nextRequest()).reply({body: '{"status":"DROP"}'})
  t.match(await answered(shop), {url: '/dead'}, 'DROP is no failure')
})
