import {once} from 'node:events'
import {Consumer} from '@platformatic/kafka'
import t, {type Test} from 'tap'
import {open as openBinding} from '../../src/dapr/components/bindings/kafka.ts'
import {open} from '../../src/dapr/components/pubsub/kafka.ts'
import type {PubSub} from '../../src/dapr/components/pubsub.ts'
import {realKafka, type RealKafka} from '../rig/kafka.ts'
import {openComponent} from '../rig/open-component.ts'
import {StartQueue} from '../rig/queue.ts'
import {tlsFile} from '../rig/tls.ts'
import {publish, read, textOf} from './reading.ts'

const METADATA = {authType: 'none', initialOffset: 'oldest', backOffDuration: '10ms'}

// the first test of a machine gets Kafka, and a broker takes half a minute to start on a busy one
t.setTimeout(400_000)

t.test('components of Kafka', async t => {
  const kafka = await realKafka(t)
  if (kafka === undefined) return
  const {brokers} = kafka
  const broker = async (t: Test, metadata: Readonly<Record<string, string>> = {}): Promise<PubSub> =>
    openComponent(t, open, {brokers, ...METADATA, ...metadata})

  await t.test('TLS with a certificate of the client; a password', async t => {
    const certificate = {clientCert: tlsFile('client.pem'), clientKey: tlsFile('client.key')}
    const secure = {brokers: kafka.tlsBrokers, authType: 'mtls', caCert: tlsFile('ca.pem')}
    const user = {brokers: kafka.passwordBrokers, authType: 'password', saslUsername: 'shop', saslPassword: 'secret'}
    for (const metadata of [
      {...secure, ...certificate},
      {...user, disableTls: 'true', saslMechanism: 'PLAIN'}
    ]) {
      const pubsub = await broker(t, metadata)
      const topic = `secure-${metadata.authType}`
      await publish(pubsub, topic, 'hello')
      t.equal(await textOf(await read(pubsub, topic)), 'hello', metadata.authType)
    }
    await t.rejects(broker(t, {...secure, ...certificate, caCert: ''}), /no broker answers at .*certificate/)
    await t.rejects(broker(t, {...user, disableTls: 'true', saslPassword: 'wrong'}), /SASL authentication failed/)
  })

  await t.test('each group gets a message once; its metadata are headers', async t => {
    const pubsub = await broker(t, {escapeHeaders: 'true', excludeHeaderMetaRegex: '^secret'})
    const [shop, stock] = await Promise.all([read(pubsub, 'orders'), read(pubsub, 'orders', {group: 'stock'})])
    await publish(pubsub, 'orders', 'one', {partitionKey: 'a b', partitionNumber: '1', secret: 'x', n: '7'})
    for (const {next} of [shop, stock]) {
      const {text, metadata, finish} = await next()
      t.equal(text, 'one')
      t.match(metadata, {
        __key: 'a+b',
        __topic: 'orders',
        __partition: '1',
        __offset: '0',
        __timestamp: /^\d+$/,
        partitionKey: 'a+b',
        n: '7'
      })
      t.notOk('secret' in metadata)
      finish()
    }
    await publish(pubsub, 'orders', 'null')
    t.equal(await textOf(shop), 'null', 'a message without value')
    await t.rejects(publish(pubsub, 'orders', 'x', {partitionNumber: 'x'}), /invalid partitionNumber/)
    t.equal(await textOf(stock), 'null')
  })

  await t.test('equal keys keep their order; what is read goes on where the group has stopped', async t => {
    const pubsub = await broker(t)
    const first = await read(pubsub, 'kept')
    for (const text of ['1', '2', '3']) await publish(pubsub, 'kept', text, {partitionKey: 'k'})
    t.equal(await textOf(first), '1')
    const two = await first.next()
    t.equal(two.text, '2')
    const stopped = first.reader.stop()
    two.finish('returned')
    await stopped
    const second = await read(pubsub, 'kept')
    t.same([await textOf(second), await textOf(second)], ['2', '3'])
    await second.reader.stop()
  })

  await t.test('what failed is handled again, before the next of its partition; or not, if so set', async t => {
    const pubsub = await broker(t)
    t.equal(pubsub.keepsFailed, true)
    const reading = await read(pubsub, 'again')
    await publish(pubsub, 'again', '1', {partitionKey: 'k'})
    await publish(pubsub, 'again', '2', {partitionKey: 'k'})
    for (let tries = 0; tries < 3; tries++) {
      const {text, finish} = await reading.next()
      t.equal(text, '1')
      finish('failed')
    }
    t.same([await textOf(reading), await textOf(reading)], ['1', '2'])
    const once = await broker(t, {consumeRetryEnabled: 'false'})
    t.equal(once.keepsFailed, false)
    const single = await read(once, 'once')
    await publish(once, 'once', '1', {partitionKey: 'k'})
    await publish(once, 'once', '2', {partitionKey: 'k'})
    ;(await single.next()).finish('failed')
    t.equal(await textOf(single), '2')
  })

  await t.test('several topics of one group; one after the other may end', async t => {
    const pubsub = await broker(t)
    const [a, b] = [await read(pubsub, 'a'), await read(pubsub, 'b')]
    await publish(pubsub, 'a', '1')
    await publish(pubsub, 'b', '2')
    t.same([await textOf(a), await textOf(b)], ['1', '2'])
    await a.reader.stop()
    await publish(pubsub, 'b', '3')
    t.equal(await textOf(b), '3')
    await b.reader.stop()
  })

  await t.test('several at once are committed in their order', async t => {
    const pubsub = await broker(t)
    const first = await read(pubsub, 'bulk', {atOnce: 3})
    for (const text of ['1', '2', '3']) await publish(pubsub, 'bulk', text, {partitionKey: 'k'})
    const [one, two, three] = [await first.next(), await first.next(), await first.next()]
    three.finish()
    one.finish()
    const stopped = first.reader.stop()
    two.finish('returned')
    await stopped
    const second = await read(pubsub, 'bulk')
    t.same([await textOf(second), await textOf(second)], ['2', '3'], 'nothing after the first was committed')
  })

  await t.test('messages are taken when they can be handled', async t => {
    const pubsub = await broker(t)
    const ready = Promise.withResolvers<void>()
    let isReady = false
    const reading = await read(pubsub, 'later', {
      ready: async () => ready.promise,
      handle: async () => {
        t.ok(isReady)
        done.resolve()
        return 'done'
      }
    })
    const done = Promise.withResolvers<void>()
    await publish(pubsub, 'later', '1')
    isReady = true
    ready.resolve()
    await done.promise
    await reading.reader.stop()
  })

  await t.test('bindings.kafka: publishes to one topic, reads others', async t => {
    const binding = await openComponent(t, openBinding, {
      brokers,
      ...METADATA,
      consumerGroup: 'bindings',
      publishTopic: 'in',
      topics: 'in, other'
    })
    const events = new StartQueue<string>()
    const reader = await binding.input?.read({
      ready: async () => undefined,
      handle: async ({data, metadata}) => {
        events.put(`${metadata['__topic'] ?? ''} ${data.toString()}`)
        return 'done'
      },
      log: () => undefined
    })
    await binding.output?.invoke({operation: 'create', data: Buffer.from('{"n":1}'), metadata: {}})
    t.equal(await events.take(), 'in {"n":1}')
    await reader?.stop()
  })

  await t.test('a broker that goes away and comes back: reading goes on', async t => {
    const own = (await realKafka(t)) as RealKafka
    const pubsub = await openComponent(t, open, {brokers: own.brokers, ...METADATA, producerRetryMax: '1'})
    // it repeats as often as it does by default: how long the broker takes to come back is the machine's
    const patient = await openComponent(t, open, {brokers: own.brokers, ...METADATA})
    const reading = await read(pubsub, 'safe')
    await publish(pubsub, 'safe', '1', {partitionKey: 'k'})
    const one = await reading.next()
    await own.stop()
    await t.rejects(publish(pubsub, 'safe', 'lost'))
    await own.start()
    one.finish()
    await publish(patient, 'safe', '2', {partitionKey: 'k'})
    // the first one may come again: its commit may have been too early
    while ((await textOf(reading)) !== '2');
    await reading.reader.stop()
  })

  await t.test('what cannot be opened, and why', async t => {
    const cases: readonly (readonly [metadata: Readonly<Record<string, string>>, message: RegExp | string])[] = [
      [{brokers: ''}, "kafka error: missing 'brokers' attribute"],
      [{brokers: 'localhost'}, 'brokers: "localhost" is no host and port'],
      [{authType: ''}, "kafka error: 'authType' attribute was missing or empty"],
      [{authType: 'oidc'}, 'authType: "oidc" is not supported here, only none, password, mtls, certificate'],
      [{authType: 'password'}, "kafka error: missing SASL Username for authType 'password'"],
      [{initialOffset: 'odd'}, 'initialOffset: "odd" is not supported here, only newest, oldest'],
      [{excludeHeaderMetaRegex: '('}, 'excludeHeaderMetaRegex: "(" is no regular expression'],
      [{schemaRegistryURL: 'http://x'}, 'a schema registry is not supported here'],
      [{brokers: '127.0.0.1:1'}, 'kafka error: no broker answers at 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1']
    ]
    for (const [metadata, message] of cases)
      await t.rejects(broker(t, metadata), {name: 'ComponentFault', message}, String(message))
  })
})

t.test('the consumer of another program shares the partitions of a group', async t => {
  const kafka = await realKafka(t)
  if (kafka === undefined) return
  const pubsub = await openComponent(t, open, {brokers: kafka.brokers, ...METADATA, heartbeatInterval: '100ms'})
  const ours = await read(pubsub, 'shared')
  const theirs = new Consumer({
    clientId: 'other',
    groupId: 'shop',
    bootstrapBrokers: [kafka.brokers],
    protocols: [{name: 'range', version: 1}]
  })
  t.teardown(async () => theirs.close(true))
  const stream = await theirs.consume({topics: ['shared'], mode: 'committed', fallbackMode: 'earliest'})
  const seen = new StartQueue<string>()
  stream.on('data', ({value}) => seen.put(value.toString()))
  while (theirs.assignments?.[0]?.partitions.length !== 1) await once(theirs, 'consumer:group:join')
  const [own] = theirs.assignments[0].partitions
  await publish(pubsub, 'shared', 'mine', {partitionNumber: (1 - (own ?? 0)).toString()})
  await publish(pubsub, 'shared', 'yours', {partitionNumber: (own ?? 0).toString()})
  t.same([await textOf(ours), await seen.take()], ['mine', 'yours'])
})
