import {once} from 'node:events'
import {connect as dial, createServer, type AddressInfo} from 'node:net'
import {connect} from 'amqplib'
import t, {type Test} from 'tap'
import {open} from '../../src/dapr/components/pubsub/rabbitmq.ts'
import type {PubSub} from '../../src/dapr/components/pubsub.ts'
import {openComponent} from '../rig/open-component.ts'
import {realRabbit, skipWithoutRabbit, type RealRabbit} from '../rig/rabbitmq.ts'
import {tlsFile} from '../rig/tls.ts'
import {publish, read, textOf} from './reading.ts'

const skip = skipWithoutRabbit
let server: RealRabbit | undefined
const rabbit = async (): Promise<RealRabbit> => (server ??= await realRabbit(t))

const broker = async (t: Test, metadata: Readonly<Record<string, string>> = {}): Promise<PubSub> =>
  openComponent(t, open, {connectionString: (await rabbit()).url, reconnectWaitSeconds: '100ms', ...metadata})

/** A channel of another program. */
const channel = async (t: Test): Promise<Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['createChannel']>>> => {
  const connection = await connect((await rabbit()).url)
  t.teardown(async () => connection.close())
  const own = await connection.createChannel()
  own.on('error', () => undefined)
  return own
}

t.test('TLS, with a certificate of the client', {skip}, async t => {
  const {tlsUrl: connectionString} = await rabbit()
  const certificate = {clientCert: tlsFile('client.pem'), clientKey: tlsFile('client.key')}
  const pubsub = await broker(t, {connectionString, caCert: tlsFile('ca.pem'), ...certificate})
  const {next} = await read(pubsub, 'secure')
  await publish(pubsub, 'secure', 'hello')
  const {text, finish} = await next()
  t.equal(text, 'hello')
  finish()
  for (const [metadata, why] of [
    [{...certificate}, /certificate/],
    [{caCert: tlsFile('ca.pem')}, /certificate required|closed|reset/i]
  ] as const)
    await t.rejects(broker(t, {connectionString, ...metadata}), why)
})

t.test('without a pause between attempts the broker has time to answer', {skip}, async t => {
  const pubsub = await broker(t, {reconnectWaitSeconds: '0'})
  const {next} = await read(pubsub, 'at-once')
  await publish(pubsub, 'at-once', 'hello')
  const {text, finish} = await next()
  t.equal(text, 'hello')
  finish()
})

t.test('each group gets a message once; exchange and queues have the names of Dapr', {skip}, async t => {
  const pubsub = await broker(t)
  const [shop, stock] = [await read(pubsub, 'orders'), await read(pubsub, 'orders', {group: 'stock'})]
  await publish(pubsub, 'orders', 'one')
  for (const {next} of [shop, stock]) {
    const {text, metadata, finish} = await next()
    t.equal(text, 'one')
    t.same(metadata, {})
    finish()
  }
  const other = await channel(t)
  t.match(await other.checkQueue('shop-orders'), {consumerCount: 1})
  t.match(await other.checkQueue('stock-orders'), {consumerCount: 1})
  await other.assertExchange('orders', 'fanout', {durable: true, autoDelete: true})
  other.publish('orders', '', Buffer.from('two'))
  const two = await shop.next()
  t.equal(two.text, 'two', 'also one of another program')
  two.finish()
  ;(await stock.next()).finish()
  await shop.reader.stop()
  await t.rejects(other.checkQueue('shop-orders'), /no queue/, 'a queue that nobody uses is deleted')
})

t.test('a message that was not handled stays; a failed one is dropped, requeued or a dead letter', {skip}, async t => {
  const dropping = await broker(t, {deletedWhenUnused: 'false'})
  t.equal(dropping.keepsFailed, false)
  const first = await read(dropping, 'kept')
  await publish(dropping, 'kept', 'one')
  await publish(dropping, 'kept', 'two')
  const [one, two] = [await first.next(), await first.next()]
  one.finish('failed')
  const stopped = first.reader.stop()
  two.finish('returned')
  await stopped
  const second = await read(dropping, 'kept')
  const again = await second.next()
  t.equal(again.text, 'two')
  again.finish()
  await second.reader.stop()
  t.match(await (await channel(t)).checkQueue('shop-kept'), {messageCount: 0})

  const requeuing = await broker(t, {requeueInFailure: 'true', prefetchCount: '1'})
  t.equal(requeuing.keepsFailed, true)
  const requeued = await read(requeuing, 'requeued')
  await publish(requeuing, 'requeued', 'x')
  ;(await requeued.next()).finish('failed')
  const back = await requeued.next()
  t.equal(back.text, 'x')
  back.finish()

  const burying = await broker(t, {enableDeadLetter: 'true'})
  const buried = await read(burying, 'buried')
  await publish(burying, 'buried', 'x')
  ;(await buried.next()).finish('failed')
  const letters = await channel(t)
  let letter = await letters.get('dlq-shop-buried')
  while (letter === false) letter = await letters.get('dlq-shop-buried')
  t.equal(letter.content.toString(), 'x')
})

t.test('properties of messages, routing keys, settings of a subscription', {skip}, async t => {
  const pubsub = await broker(t, {
    exchangeKind: 'topic',
    publishMessagePropertiesToMetadata: 'true',
    ttlInSeconds: '60'
  })
  const {next} = await read(pubsub, 'routed', {
    metadata: {queueName: 'mine', routingKey: 'a.*,b', maxPriority: '5', QueueType: 'classic', maxLen: '10'}
  })
  await publish(pubsub, 'routed', 'none', {routingKey: 'c'})
  await publish(pubsub, 'routed', 'one', {routingKey: 'a.x', messageID: '7', contentType: 'text/csv', priority: '3'})
  const one = await next()
  t.equal(one.text, 'one')
  t.same(one.metadata, {'metadata.messageid': '7', 'metadata.contenttype': 'text/csv'})
  one.finish()
  const other = await channel(t)
  await other.assertQueue('seen')
  await other.bindQueue('seen', 'routed', '#')
  await publish(pubsub, 'routed', 'x', {ttlInSeconds: '5', priority: '3'})
  await publish(pubsub, 'routed', 'y')
  const seen = [await other.get('seen'), await other.get('seen')]
  t.match(seen, [
    {properties: {expiration: '5000', priority: 3, contentType: 'text/plain'}},
    {properties: {expiration: '60000'}}
  ])
  await t.rejects(read(pubsub, 'routed', {metadata: {queueType: 'odd'}}), /invalid queue type odd/)
  await t.rejects(read(pubsub, 'routed', {metadata: {queueName: 'mine'}}), /PRECONDITION_FAILED/)
})

t.test('one after the other, or many at once; the rest stays with the broker', {skip}, async t => {
  const single = await broker(t, {concurrencyMode: 'single'})
  const one = await read(single, 'single')
  await publish(single, 'single', '1')
  await publish(single, 'single', '2')
  const first = await one.next()
  const second = one.next()
  t.equal(
    await Promise.race([second.then(() => 'early'), new Promise(resolve => setImmediate(resolve, 'waits'))]),
    'waits'
  )
  first.finish()
  ;(await second).finish()

  const few = await broker(t, {prefetchCount: '2'})
  const two = await read(few, 'few')
  for (const text of ['1', '2', '3']) await publish(few, 'few', text)
  const [a, b] = [await two.next(), await two.next()]
  t.match(await (await channel(t)).checkQueue('shop-few'), {messageCount: 1})
  a.finish()
  b.finish()
  ;(await two.next()).finish()
})

t.test('messages are taken when they can be handled, and none is missed until then', {skip}, async t => {
  const pubsub = await broker(t)
  const ready = Promise.withResolvers<void>()
  const {next} = await read(pubsub, 'later', {ready: async () => ready.promise})
  await publish(pubsub, 'later', 'one')
  const other = await channel(t)
  t.match(await other.checkQueue('shop-later'), {messageCount: 1, consumerCount: 0})
  ready.resolve()
  const one = await next()
  t.equal(one.text, 'one')
  one.finish()
})

t.test('a broker that goes away and comes back: nothing is lost that was not acknowledged', {skip}, async t => {
  const own = await realRabbit(t)
  const pubsub = await openComponent(t, open, {
    connectionString: own.url,
    reconnectWaitSeconds: '100ms',
    deletedWhenUnused: 'false',
    deliveryMode: '2'
  })
  const {next} = await read(pubsub, 'safe')
  await publish(pubsub, 'safe', 'one')
  const one = await next()
  t.equal(one.text, 'one')
  await own.stop()
  one.finish()
  await t.rejects(publish(pubsub, 'safe', 'lost'))
  await t.rejects(read(pubsub, 'new'), {message: 'RabbitMQ does not answer'}, 'nor do other topics wait for it')
  await own.start()
  const again = await next()
  t.equal(again.text, 'one', 'its acknowledgement did not arrive')
  again.finish()
  await publish(pubsub, 'safe', 'two')
  const two = await next()
  t.equal(two.text, 'two')
  two.finish()
})

t.test('what cannot be opened, and why', {skip}, async t => {
  const {url} = await rabbit()
  const cases: readonly (readonly [metadata: Readonly<Record<string, string>>, message: RegExp | string])[] = [
    [{connectionString: 'localhost'}, /connectionString must be a URL like amqp:\/\/host:5672$/],
    [{connectionString: url, protocol: 'amqps'}, /protocol does not match connection string, protocol: amqps$/],
    [{connectionString: url, exchangeKind: 'odd'}, 'rabbitmq pub/sub error: invalid RabbitMQ exchange kind odd'],
    [
      {connectionString: url, deliveryMode: '3'},
      /invalid RabbitMQ delivery mode, accepted values are between 0 and 2$/
    ],
    [{connectionString: url, concurrencyMode: 'odd'}, 'invalid concurrencyMode odd'],
    [{connectionString: url, saslExternal: 'true'}, /^saslExternal can only be set to true/],
    [
      {hostname: '127.0.0.1:1', username: 'me', password: 'p@ss'},
      /^rabbitmq pub\/sub error: cannot connect to 127\.0\.0\.1:1: .*ECONNREFUSED/
    ],
    [
      {connectionString: url.replace('guest:guest', 'me:secret')},
      /cannot connect to 127\.0\.0\.1:\d+: .*ACCESS_REFUSED|403/
    ]
  ]
  for (const [metadata, message] of cases) {
    const error = await openComponent(t, open, metadata).then(
      () => undefined,
      (reason: unknown) => reason
    )
    t.match(error, {name: 'ComponentFault', message}, String(message))
    t.notMatch(String(error), 'secret')
  }
})

t.test('publishes that fail together share the channel that follows', {skip}, async t => {
  const pubsub = await broker(t, {connectionString: `${(await rabbit()).url}?channelMax=8`})
  const other = await channel(t)
  await other.assertExchange('clash', 'direct', {durable: true, autoDelete: false})
  const failed = Array.from({length: 20}, async () => publish(pubsub, 'clash', 'no'))
  for (const end of await Promise.allSettled(failed)) t.match(end, {status: 'rejected', reason: /PRECONDITION-FAILED/})
  const {next} = await read(pubsub, 'fine')
  await publish(pubsub, 'fine', 'yes')
  const {text, finish} = await next()
  t.equal(text, 'yes')
  finish()
  await other.deleteExchange('clash')
})

t.test('a message that is refused costs no channel', {skip}, async t => {
  const connectionString = `${(await rabbit()).url}?channelMax=8`
  const pubsub = await broker(t, {connectionString, reconnectWaitSeconds: '0'})
  const other = await channel(t)
  await other.assertExchange('narrow', 'fanout', {durable: true, autoDelete: true})
  await other.assertQueue('full', {exclusive: true, arguments: {'x-max-length': 1, 'x-overflow': 'reject-publish'}})
  await other.bindQueue('full', 'narrow', '')
  await publish(pubsub, 'narrow', 'first')
  for (let refused = 0; refused < 8; refused++)
    await t.rejects(publish(pubsub, 'narrow', 'no'), {message: 'did not receive confirmation of publishing'})
  const long = {messageID: 'x'.repeat(256)}
  await t.rejects(publish(pubsub, 'narrow', 'no', long), {message: /messageId.*up to 255 chars/})
  await other.purgeQueue('full')
  await publish(pubsub, 'narrow', 'last')
  const last = await other.get('full')
  t.equal(last === false ? '' : last.content.toString(), 'last')
})

t.test('a topic that cannot be published to holds up no other one', {skip}, async t => {
  const pubsub = await broker(t)
  const other = await channel(t)
  await other.assertExchange('wrong', 'direct', {durable: true, autoDelete: true})
  const {next} = await read(pubsub, 'right')
  const refused: Promise<unknown>[] = []
  for (let at = 0; at < 20; at++) {
    refused.push(t.rejects(publish(pubsub, 'wrong', 'no'), {message: /PRECONDITION_FAILED/}))
    await publish(pubsub, 'right', `${at}`)
    const {text, finish} = await next()
    t.equal(text, `${at}`)
    finish()
  }
  await Promise.all(refused)
  await other.deleteExchange('wrong')
})

t.test('what waits in a queue outlives an edit of its component', {skip}, async t => {
  const before = await broker(t, {prefetchCount: '1'})
  const first = await read(before, 'waiting')
  for (const text of ['one', 'two']) await publish(before, 'waiting', text)
  const {finish} = await first.next()
  await before.close?.()
  const second = await read(await broker(t, {prefetchCount: '2'}), 'waiting')
  await second.reader.begun
  const stopped = first.reader.stop()
  finish()
  await stopped
  t.equal(await textOf(second), 'two')
})

t.test('a connection that is lost while a topic is created holds up no topic after it', {skip}, async t => {
  const {port} = new URL((await rabbit()).url)
  let isLost = false
  const proxy = createServer(client => {
    const server = dial(Number(port), '127.0.0.1')
    server.on('error', () => client.destroy()).pipe(client)
    client.on('error', () => server.destroy())
    client.on('data', data => {
      const isClose = Buffer.from(data).includes(Buffer.of(0, 20, 0, 40))
      if (!isClose || isLost) return void server.write(data)
      isLost = true
      server.destroy()
    })
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => proxy.close())
  const through = `amqp://guest:guest@127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const pubsub = await broker(t, {connectionString: through})
  await publish(pubsub, 'lost', 'no').catch(() => undefined)
  await publish(pubsub, 'later', 'yes')
  t.ok(isLost)
})

t.test('a message that was not handled does not come back at once, as others have their turn', {skip}, async t => {
  const reading = await read(await broker(t), 'held')
  const other = await channel(t)
  other.publish('held', '', Buffer.from('one'))
  ;(await reading.next()).finish('returned')
  other.publish('held', '', Buffer.from('two'))
  t.equal(await textOf(reading), 'two')
  t.equal(await textOf(reading), 'one')
})

t.test('messages that wait for their turn when the connection is lost come once, and in order', {skip}, async t => {
  const own = await realRabbit(t)
  const pubsub = await openComponent(t, open, {
    connectionString: own.url,
    reconnectWaitSeconds: '100ms',
    deletedWhenUnused: 'false',
    deliveryMode: '2',
    concurrencyMode: 'single'
  })
  const reading = await read(pubsub, 'turns')
  for (const text of ['1', '2', '3']) await publish(pubsub, 'turns', text)
  const first = await reading.next()
  t.equal(first.text, '1')
  await own.stop()
  await own.start()
  first.finish()
  await publish(pubsub, 'turns', '4')
  const texts: string[] = []
  while (texts.at(-1) !== '4') texts.push(await textOf(reading))
  t.same(texts, ['1', '2', '3', '4'])
})
