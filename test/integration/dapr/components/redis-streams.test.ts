import t, {type Test} from 'tap'
import {open, RedisStreams} from '../../../../src/dapr/components/pubsub/redis.ts'
import type {StreamSettings} from '../../../../src/dapr/components/pubsub/stream-reader.ts'
import type {Handled, BrokerMessage, SubscribeOptions} from '../../../../src/dapr/components/pubsub.ts'
import type {RedisTarget} from '../../../../src/dapr/components/redis/redis-servers.ts'
import {RedisEngine} from '../../../../src/packages/redis/engine/engine.ts'
import {MemoryConnection} from '../../../../src/packages/redis/memory-connection.ts'
import {openComponent} from '../../../rig/open-component.ts'
import {readOrders, StartQueue} from '../../../rig/queue.ts'

const SETTINGS: StreamSettings = {
  consumerId: '',
  redeliverIntervalMs: 15_000,
  processingTimeoutMs: 60_000,
  queueDepth: 100,
  concurrency: 10,
  maxLength: 0,
  ttlMs: 0,
  readTimeoutMs: 3000
}

interface Delivery {
  readonly text: string
  readonly metadata: BrokerMessage['metadata']
  readonly finish: (handled?: Handled) => void
}

interface Scene {
  readonly redis: MemoryConnection
  readonly streams: RedisStreams
  readonly logged: string[]
  readonly subscribe: (
    topic: string,
    options?: Partial<SubscribeOptions>
  ) => Promise<{
    readonly next: () => Promise<Delivery>
    readonly stop: () => Promise<void>
    readonly waiting: () => Promise<number | undefined>
  }>
}

const scene = (t: Test, settings: Partial<StreamSettings> = {}): Scene => {
  const redis = new MemoryConnection(new RedisEngine())
  const streams = new RedisStreams(redis, {...SETTINGS, ...settings})
  const logged: string[] = []
  t.teardown(async () => streams.close())
  return {
    redis,
    streams,
    logged,
    subscribe: async (topic, options = {}) => {
      const unfinished: (() => void)[] = []
      const deliveries = new StartQueue<Delivery>()
      const reader = await streams.subscribe({
        topic,
        group: 'shop',
        metadata: {},
        ready: async () => undefined,
        atOnce: 0,
        handle: async ({data, metadata}) =>
          new Promise(resolve => {
            const finish = (handled: Handled = 'done'): void => resolve(handled)
            unfinished.push(finish)
            deliveries.put({text: data.toString(), metadata, finish})
          }),
        log: (_, text) => void logged.push(text),
        ...options
      })
      const stop = async (): Promise<void> => {
        const stopping = reader.stop()
        for (const finish of unfinished) finish()
        await stopping
      }
      t.teardown(stop)
      const waiting = async (): Promise<number | undefined> => (await reader.backlog?.())?.waiting
      return {next: async () => deliveries.take(), stop, waiting}
    }
  }
}

/** Resolves when the group has nothing pending. */
const acknowledged = async (redis: MemoryConnection): Promise<void> => {
  const pending = async (): Promise<unknown> => ((await redis.command(['XPENDING', 'orders', 'shop'])) as unknown[])[0]
  while ((await pending()) !== 0) await new Promise(setImmediate)
}

const message = (text: string, metadata: BrokerMessage['metadata'] = {}): BrokerMessage => ({
  data: Buffer.from(text),
  metadata
})

t.test('a message is an entry of a stream; a new group begins with the first one; done is acknowledged', async t => {
  const {redis, streams, subscribe} = scene(t)
  await streams.publish('orders', message('{"id":"1"}', {key: '7'}))
  await streams.publish('orders', message('{"id":"2"}'))
  t.match(await redis.command(['XRANGE', 'orders', '-', '+']), [
    [/-/, ['data', '{"id":"1"}', 'metadata', '{"key":"7"}'].map(text => Buffer.from(text))],
    [/-/, ['data', '{"id":"2"}'].map(text => Buffer.from(text))]
  ])
  const shop = await subscribe('orders')
  const stock = await subscribe('orders', {group: 'stock'})
  for (const each of [shop, stock]) {
    const first = await each.next()
    t.match(first, {text: '{"id":"1"}', metadata: {key: '7'}}, 'each group gets each message')
    first.finish()
    const second = await each.next()
    t.match(second, {text: '{"id":"2"}', metadata: {}})
    second.finish()
    await each.stop()
  }
  t.match(await redis.command(['XPENDING', 'orders', 'shop']), [0])
  t.match(await redis.command(['XPENDING', 'orders', 'stock']), [0])
  const again = await subscribe('orders')
  await streams.publish('orders', message('3'))
  t.match(await again.next(), {text: '3'}, 'a group goes on where it stopped')
})

t.test('what was returned or not answered is delivered again after its time, no message twice at once', async t => {
  const {redis, streams, subscribe} = scene(t, {redeliverIntervalMs: 5, processingTimeoutMs: 10})
  const {next} = await subscribe('orders')
  await streams.publish('orders', message('held'))
  const held = await next()
  await streams.publish('orders', message('returned'))
  const returned = await next()
  returned.finish('returned')
  for (let n = 0; n < 5; n++) {
    const again = await next()
    t.match(again, {text: 'returned'}, 'the one that is held does not come again')
    again.finish(n === 4 ? 'done' : 'returned')
  }
  held.finish()
  await acknowledged(redis)
})

t.test('as many messages at once as concurrency; with one they come in order', async t => {
  const {streams, subscribe} = scene(t, {concurrency: 1, queueDepth: 3})
  const texts = Array.from({length: 20}, (_, n) => n.toString())
  for (const text of texts) await streams.publish('one', message(text))
  const one = await subscribe('one')
  const seen: string[] = []
  while (seen.length < texts.length) {
    const delivery = await one.next()
    seen.push(delivery.text)
    await new Promise(setImmediate)
    delivery.finish()
  }
  t.same(seen, texts)
  const bulk = await subscribe('one', {group: 'bulk', atOnce: 5})
  const together = await Promise.all([bulk.next(), bulk.next(), bulk.next(), bulk.next(), bulk.next()])
  t.same(
    together.map(({text}) => text),
    texts.slice(0, 5),
    'a bulk subscription takes more'
  )
  for (const delivery of together) delivery.finish()
})

t.test('a group that is gone is created again, with two warnings', async t => {
  const {redis, streams, subscribe, logged} = scene(t, {readTimeoutMs: 5})
  const {next} = await subscribe('orders')
  await redis.command(['DEL', 'orders'])
  while (logged.length < 2) await new Promise(setImmediate)
  t.match(logged, [/^redis streams: error .*: NOGROUP /, /consumer group shop of stream orders is gone/])
  await streams.publish('orders', message('1'))
  t.match(await next(), {text: '1'})
})

t.test('a stream keeps about as many entries as maxLenApprox says', async t => {
  const {redis, streams} = scene(t, {maxLength: 100})
  for (let n = 0; n < 1000; n++) await streams.publish('orders', message('x'))
  const length = Number(await redis.command(['XLEN', 'orders']))
  t.ok(length >= 100 && length < 400, length.toString())
})

t.test('a stream keeps its entries about as long as streamTTL says', async t => {
  const {redis, streams} = scene(t, {ttlMs: 60_000})
  const hourAgo = Date.now() - 3_600_000
  for (let n = 0; n < 1000; n++) await redis.command(['XADD', 'orders', `${hourAgo}-${n + 1}`, 'data', 'x'])
  await streams.publish('orders', message('1'))
  const length = Number(await redis.command(['XLEN', 'orders']))
  t.ok(length >= 1 && length < 400, length.toString())
  await streams.publish('orders', message('2'))
  t.equal(Number(await redis.command(['XLEN', 'orders'])) - length, 1, 'the new ones stay')
})

t.test('nothing is read while nobody can take it; a pending entry that was deleted is acknowledged', async t => {
  const {redis, streams, subscribe} = scene(t, {redeliverIntervalMs: 5, processingTimeoutMs: 1})
  const open = Promise.withResolvers<void>()
  const {next} = await subscribe('orders', {ready: async () => open.promise})
  await streams.publish('orders', message('1'))
  await new Promise(setImmediate)
  t.match(await redis.command(['XPENDING', 'orders', 'shop']), [0], 'it waits in the stream')
  open.resolve()
  const delivery = await next()
  t.match(delivery, {text: '1'})
  await redis.command(['XTRIM', 'orders', 'MAXLEN', '0'])
  delivery.finish('returned')
  await acknowledged(redis)
})

t.test('entries that are gone unread wait for nobody', async t => {
  const {redis, streams, subscribe} = scene(t)
  const open = Promise.withResolvers<void>()
  const {next, waiting} = await subscribe('orders', {ready: async () => open.promise})
  for (const text of ['1', '2', '3']) await streams.publish('orders', message(text))
  t.equal(await waiting(), 3)
  await redis.command(['XTRIM', 'orders', 'MAXLEN', '1'])
  open.resolve()
  const delivery = await next()
  t.match(delivery, {text: '3'})
  delivery.finish()
  await acknowledged(redis)
  t.equal(await waiting(), 0)
  await redis.command(['XSETID', 'orders', '9999999999999-0', 'ENTRIESADDED', '100'])
  t.equal(await waiting(), 0, 'whatever a server counts')
})

t.test('while a subscriber is behind, publishers take turns with it, and nothing changes its order', async t => {
  const {redis, streams, subscribe} = scene(t, {concurrency: 1})
  const orders = await subscribe('orders')
  const publish = async (number: number): Promise<unknown> =>
    streams.publish('orders', {data: Buffer.from(number.toString()), metadata: {}})
  for (const number of [0, 1, 2]) await publish(number)
  const first = await orders.next()
  const all = Promise.all(Array.from({length: 40}, async (_, at) => publish(at + 3)))
  for (let at = 0; at < 100; at++) await Promise.resolve()
  const early = Number(await redis.command(['XLEN', 'orders']))
  t.ok(early < 20, `${early} of 43 in this turn of the event loop`)
  await all
  first.finish()
  const texts = [first.text]
  while (texts.length < 43) {
    const {text, finish} = await orders.next()
    texts.push(text)
    finish()
  }
  t.same(
    texts,
    Array.from({length: 43}, (_, at) => at.toString())
  )
})

t.test('what was read and not handled comes first to the next reader, not only once it was idle', async t => {
  const {streams, subscribe} = scene(t, {concurrency: 1})
  for (const text of ['1', '2', '3']) await streams.publish('orders', message(text))
  const first = await subscribe('orders')
  const one = await first.next()
  t.equal(one.text, '1')
  const stopping = first.stop()
  await streams.publish('orders', message('4'))
  await stopping
  const second = await subscribe('orders')
  for (const text of ['2', '3', '4']) {
    const next = await second.next()
    t.equal(next.text, text)
    next.finish()
  }
  await second.stop()
  const returning = await subscribe('orders', {
    handle: async () => new Promise(resolve => setImmediate(resolve, 'returned'))
  })
  await streams.publish('orders', message('5'))
  await returning.stop()
  t.equal((await (await subscribe('orders')).next()).text, '5')
})

t.test('messages read ahead go to the next reader at once, also where the component was closed first', async t => {
  const {redis, streams, subscribe} = scene(t, {concurrency: 1})
  for (const text of ['1', '2', '3']) await streams.publish('orders', message(text))
  const {next, stop} = await subscribe('orders')
  const first = await next()
  const after = new RedisStreams(await redis.duplicate(), SETTINGS)
  t.teardown(async () => after.close())
  await streams.close()
  const stopping = stop()
  first.finish()
  await stopping
  const [heard, reader] = await readOrders(after)
  await after.publish('orders', message('4'))
  t.same([await heard.take(), await heard.take(), await heard.take()], ['2', '3', '4'])
  await reader.stop()
})

t.test('what an instance gives back goes to another one at once', async t => {
  const {redis, streams, subscribe} = scene(t, {concurrency: 1})
  for (const text of ['1', '2', '3']) await streams.publish('orders', message(text))
  const first = await subscribe('orders')
  const one = await first.next()
  const others = new RedisStreams(await redis.duplicate(), SETTINGS)
  t.teardown(async () => others.close())
  const [heard, second] = await readOrders(others)
  await streams.publish('orders', message('4'))
  t.equal(await heard.take(), '4')
  const stopping = first.stop()
  one.finish()
  await stopping
  t.same([await heard.take(), await heard.take()], ['2', '3'])
  await second.stop()
})

t.test('an instance that takes no messages for long leaves them to another one, and none comes twice', async t => {
  const {redis, streams, subscribe} = scene(t, {redeliverIntervalMs: 5, processingTimeoutMs: 20, concurrency: 1})
  let isReady = Promise.withResolvers<void>()
  isReady.resolve()
  const heard = new StartQueue<string>()
  let held: PromiseWithResolvers<Handled> | undefined
  const first = await subscribe('orders', {
    ready: async () => isReady.promise,
    handle: async ({data}) => {
      heard.put(`first: ${data.toString()}`)
      return (held = Promise.withResolvers()).promise
    },
    takeBack: () => held?.resolve('returned')
  })
  for (const text of ['1', '2']) await streams.publish('orders', message(text))
  t.equal(await heard.take(), 'first: 1')
  isReady = Promise.withResolvers()
  const others = new RedisStreams(await redis.duplicate(), {...SETTINGS, processingTimeoutMs: 20})
  t.teardown(async () => others.close())
  const second = await others.subscribe({
    topic: 'orders',
    group: 'shop',
    metadata: {},
    ready: async () => undefined,
    atOnce: 1,
    handle: async ({data}) => {
      heard.put(`second: ${data.toString()}`)
      return 'done'
    },
    log: () => undefined
  })
  t.same([await heard.take(), await heard.take()], ['second: 1', 'second: 2'])
  await acknowledged(redis)
  await second.stop()
  await streams.publish('orders', message('3'))
  isReady.resolve()
  t.equal(await heard.take(), 'first: 3', 'the one that left them has forgotten them')
  held?.resolve('done')
  await first.stop()
})

t.test('times with parts of a millisecond are followed: Redis takes whole ones', async t => {
  const dialed: (number | undefined)[] = []
  const connect = async ({connectTimeoutMs}: RedisTarget): Promise<MemoryConnection> => {
    dialed.push(connectTimeoutMs)
    return Promise.resolve(new MemoryConnection(new RedisEngine()))
  }
  const times = {dialTimeout: '1.001s', processingTimeout: '1.001s', readTimeout: '1.5ms', redeliverInterval: '10us'}
  const bus = await openComponent(t, open, {redisHost: 'localhost', ...times}, {redis: {connect}})
  t.same(dialed, [1001])
  const events = new StartQueue<string>()
  const reader = await bus.subscribe({
    topic: 'orders',
    group: 'shop',
    metadata: {},
    atOnce: 0,
    ready: async () => undefined,
    handle: async ({data}) => {
      events.put(data.toString())
      return 'done'
    },
    log: (_, text) => events.put(text)
  })
  await bus.publish('orders', message('1'))
  t.equal(await events.take(), '1')
  await reader.stop()
})
