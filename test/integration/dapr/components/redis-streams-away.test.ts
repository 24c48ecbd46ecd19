import t, {type Test} from 'tap'
import {RedisStreams} from '../../../../src/dapr/components/pubsub/redis.ts'
import type {Handled} from '../../../../src/dapr/components/pubsub.ts'
import {RedisEngine} from '../../../../src/packages/redis/engine/engine.ts'
import {MemoryConnection} from '../../../../src/packages/redis/memory-connection.ts'
import {readOrders, StartQueue} from '../../../rig/queue.ts'

const SETTINGS = {
  consumerId: '',
  redeliverIntervalMs: 5,
  processingTimeoutMs: 20,
  queueDepth: 2,
  concurrency: 1,
  maxLength: 0,
  ttlMs: 0,
  readTimeoutMs: 3000
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

/** An instance of an app that takes messages; each is in its hand until `answer` is called. */
async function open(t: Test, redis: MemoryConnection, settings = SETTINGS) {
  const streams = new RedisStreams(await redis.duplicate(), settings)
  t.teardown(async () => streams.close())
  const heard = new StartQueue<string>()
  const taken = Promise.withResolvers<void>()
  let ready = Promise.withResolvers<void>()
  ready.resolve()
  let held = Promise.withResolvers<Handled>()
  const answer = (handled: Handled): void => {
    held.resolve(handled)
    held = Promise.withResolvers()
  }
  const reader = await streams.subscribe({
    topic: 'orders',
    group: 'shop',
    metadata: {},
    ready: async () => ready.promise,
    atOnce: 0,
    handle: async ({data}) => {
      heard.put(data.toString())
      return held.promise
    },
    takeBack: () => {
      answer('returned')
      taken.resolve()
    },
    log: () => undefined
  })
  t.teardown(async () => {
    const stopping = reader.stop()
    ready.resolve() // as at the end of a subscription
    answer('done')
    await stopping
  })
  return {
    next: async () => heard.take(),
    answer,
    stop: async () => reader.stop(),
    leave: () => (ready = Promise.withResolvers()),
    comeBack: () => ready.resolve(),
    taken: taken.promise
  }
}

/** A stream with these messages, which an instance that is gone may have read. */
async function newStream(texts: readonly string[], areRead = false): Promise<MemoryConnection> {
  const redis = new MemoryConnection(new RedisEngine())
  for (const text of texts) await redis.command(['XADD', 'orders', '*', 'data', text])
  await redis.command(['XGROUP', 'CREATE', 'orders', 'shop', '0'])
  if (areRead) await redis.command(['XREADGROUP', 'GROUP', 'shop', 'shop', 'STREAMS', 'orders', '>'])
  return redis
}

for (const [what, texts, later] of [
  ['that wait', ['1', '2', '3', '4', '5'], []],
  ['that come', ['1'], ['2']]
] as const)
  t.test(`an instance that has given its messages back takes none ${what} before its app does`, async t => {
    const redis = await newStream(texts)
    const shop = await open(t, redis, {...SETTINGS, redeliverIntervalMs: 20, processingTimeoutMs: 40})
    t.equal(await shop.next(), '1')
    await turns()
    shop.leave()
    await shop.taken
    for (const text of later) await redis.command(['XADD', 'orders', '*', 'data', text])
    await turns()
    shop.comeBack()
    for (const text of [...texts, ...later]) {
      t.equal(await shop.next(), text)
      shop.answer('done')
    }
  })

t.test('what an instance has claimed of many is kept, given back if its app takes none, and comes once', async t => {
  const redis = await newStream(['1', '2', '3'], true)
  const first = await open(t, redis)
  t.equal(await first.next(), '1')
  await turns()
  first.leave()
  const second = await open(t, redis)
  const texts: string[] = []
  while (texts.length < 3) {
    texts.push(await second.next())
    await new Promise(setImmediate)
    second.answer('done')
  }
  t.same(texts.toSorted(), ['1', '2', '3'])
  second.leave()
  await second.taken
  await redis.command(['XADD', 'orders', '*', 'data', '4'])
  first.comeBack()
  first.answer('done')
  t.equal(await first.next(), '4')
})

t.test('what another run has given back as it ended is taken at once by one that goes on with its Redis', async t => {
  const listeners: (() => void)[] = []
  const redis = Object.assign(await newStream(['left'], true), {
    onServer: (listener: () => void): void => void listeners.push(listener)
  })
  const streams = new RedisStreams(redis, {...SETTINGS, redeliverIntervalMs: 600_000, processingTimeoutMs: 60_000})
  t.teardown(async () => streams.close())
  const [heard] = await readOrders(streams)
  await redis.command(['XADD', 'orders', '*', 'data', 'new'])
  t.equal(await heard.take(), 'new')
  const [[id]] = (await redis.command(['XRANGE', 'orders', '-', '+', 'COUNT', '1'])) as [[string]]
  await redis.command(['XCLAIM', 'orders', 'shop', 'shop', '0', id, 'IDLE', '60000', 'JUSTID'])
  for (const goesOn of listeners) goesOn()
  t.equal(await heard.take(), 'left')
})

t.test('what an instance has when the machine sleeps comes to no other one, which looks first', async t => {
  const redis = await newStream(['left'], true)
  const slow = await open(t, redis, {...SETTINGS, redeliverIntervalMs: 60_000, processingTimeoutMs: 60_000})
  for (const text of ['held', 'read ahead']) await redis.command(['XADD', 'orders', '*', 'data', text])
  t.equal(await slow.next(), 'held')
  await turns()
  const quick = await open(t, redis, {...SETTINGS, queueDepth: 4, processingTimeoutMs: 60_000})
  const date = Date.now.bind(Date)
  t.teardown(() => (Date.now = date))
  Date.now = () => date() + 600_000
  t.equal(await quick.next(), 'left')
  quick.answer('done')
  await redis.command(['XADD', 'orders', '*', 'data', 'end'])
  t.equal(await quick.next(), 'end')
  quick.answer('done')
})

t.test('what an instance still has as it stops comes to no other one, however long that takes', async t => {
  const redis = new MemoryConnection(new RedisEngine())
  const first = await open(t, redis)
  await redis.command(['XADD', 'orders', '*', 'data', 'held'])
  t.equal(await first.next(), 'held')
  const stopped = first.stop()
  const second = await open(t, redis)
  await redis.command(['XADD', 'orders', '*', 'data', 'next'])
  for (let n = 0; n < 5; n++) {
    t.equal(await second.next(), 'next')
    second.answer(n === 4 ? 'done' : 'returned')
  }
  first.answer('done')
  await stopped
})
