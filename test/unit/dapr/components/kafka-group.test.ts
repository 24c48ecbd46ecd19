import {Readable} from 'node:stream'
import {mock} from 'node:test'
import {Consumer} from '@platformatic/kafka'
import t, {type Test} from 'tap'
import type {BrokerMessage, Handled} from '../../../../src/dapr/components/pubsub.ts'
import {KafkaGroup} from '../../../../src/dapr/components/kafka/kafka-group.ts'
import type {TopicRead} from '../../../../src/dapr/components/kafka/topic-stream.ts'
import {kafkaSettings} from '../../../../src/dapr/components/kafka/kafka-settings.ts'
import {Properties} from '../../../../src/dapr/components/properties.ts'
import {StartQueue} from '../../../rig/queue.ts'

const place = {file: 'bus.yaml', line: 1, column: 1, source: ''}
const METADATA = {brokers: '127.0.0.1:1', authType: 'none', consumeRetryInterval: '1ms'}
const properties = Object.entries(METADATA).map(([name, value]) => ({name, value, place}))
const settings = kafkaSettings(new Properties(properties), true)

/** A stream that a group has asked for, and its consumer. */
interface Asked {
  readonly stream: Readable & {readonly offsetsToFetch: Map<string, bigint>}
  readonly consumer: unknown
}

/** A group whose consumers ask nobody: the test gives the streams. */
const openGroup = (t: Test) => {
  const asked = new StartQueue<Asked>()
  const closed: unknown[] = []
  /** What the members of the group ask of the broker. */
  const done = new StartQueue<unknown>()
  t.intercept(Consumer.prototype, 'consume', {
    value: async function (this: unknown) {
      const readable = new Readable({objectMode: true, read: () => undefined})
      const close = async (): Promise<void> => {
        done.put('stream closed')
        return Promise.resolve(void readable.push(null))
      }
      const stream = Object.assign(readable, {close, offsetsToFetch: new Map<string, bigint>()})
      Object.assign(this as object, {assignments: [{topic: 'orders', partitions: [0, 1, 2]}]})
      asked.put({stream, consumer: this})
      return Promise.resolve(stream)
    }
  })
  t.intercept(Consumer.prototype, 'close', {
    value: async function (this: unknown) {
      closed.push(this)
      done.put('client closed')
      return Promise.resolve()
    }
  })
  t.intercept(Consumer.prototype, 'listCommittedOffsets', {
    value: async () => Promise.resolve(new Map([['orders', [-1n, 7n, -1n]]]))
  })
  t.intercept(Consumer.prototype, 'commit', {
    value: async ({offsets}: {readonly offsets: readonly object[]}) => Promise.resolve(done.put(offsets))
  })
  t.intercept(Consumer.prototype, 'joinGroup', {value: async () => Promise.resolve(done.put('joined'))})
  const group = new KafkaGroup('shop', settings)
  t.teardown(async () => group.close())
  const logged = new StartQueue<string>()
  const log: TopicRead['log'] = (_, text) => logged.put(text)
  const read = async (
    topic: string,
    ready: TopicRead['ready'] = async () => undefined,
    handle: TopicRead['handle'] = async () => 'done',
    takeBack?: () => void
  ): Promise<Asked> => {
    await group.read({topic, atOnce: 0, ready, handle, log, ...(takeBack && {takeBack})})
    return asked.take()
  }
  return {group, read, asked, closed, logged, done}
}

t.test('a stream that fails before the app is ready is opened again once it is', async t => {
  const {read, asked, logged} = openGroup(t)
  const ready = Promise.withResolvers<void>()
  const {stream} = await read('orders', async () => ready.promise)
  const closed = new Promise(resolve => stream.once('close', resolve))
  stream.destroy(new Error('the broker is gone'))
  await closed
  ready.resolve()
  t.equal(await logged.take(), 'Error consuming orders. Retrying...: the broker is gone')
  t.not((await asked.take()).stream, stream)
})

t.test('a stream that is opened late again leaves the consumer that others read from by then', async t => {
  const {read, asked, closed, logged} = openGroup(t)
  const ready = Promise.withResolvers<void>()
  const orders = await read('orders', async () => undefined)
  const paid = await read('paid', async () => ready.promise)
  t.equal(paid.consumer, orders.consumer)
  paid.stream.destroy()
  orders.stream.destroy(new Error('the broker is gone'))
  t.match(await logged.take(), /^Error consuming orders/)
  const next = await asked.take()
  t.not(next.consumer, orders.consumer)
  ready.resolve()
  t.equal((await asked.take()).consumer, next.consumer)
  t.same(closed, [orders.consumer])
})

/** A record as the client gives it. */
const record = (
  value: string,
  committed: () => void,
  headers: readonly (readonly [string, string?])[] = [],
  offset = BigInt(value)
): object => ({
  value: Buffer.from(value),
  headers: new Map(headers.map(([name, content]) => [Buffer.from(name), content && Buffer.from(content)])),
  offset,
  topic: 'orders',
  timestamp: 2n,
  partition: 0,
  commit: async () => committed()
})

t.test('a header without a value, as other publishers write it, is an empty one: it held up its partition', async t => {
  const {read} = openGroup(t)
  const handled = new StartQueue<BrokerMessage>()
  const {stream} = await read('orders', undefined, async message => {
    handled.put(message)
    return Promise.resolve('done')
  })
  const committed = new StartQueue<string>()
  stream.push(record('1', () => committed.put('1'), [['a', 'b'], ['none']]))
  stream.push(record('2', () => committed.put('2')))
  t.match(await handled.take(), {metadata: {a: 'b', none: '', __partition: '0'}})
  t.equal(String((await handled.take()).data), '2')
  while ((await committed.take()) !== '2');
})

t.test('what is being handled while its component is closed is committed before the consumer goes', async t => {
  const {group, read, closed} = openGroup(t)
  const begun = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<Handled>()
  const {stream} = await read('orders', undefined, async () => {
    begun.resolve()
    return answer.promise
  })
  const seen: number[] = []
  stream.push(record('1', () => seen.push(closed.length)))
  await begun.promise
  const closing = group.close()
  t.ok(group.isReading)
  answer.resolve('done')
  await closing
  t.same(seen, [0])
  t.equal(closed.length, 1)
  t.notOk(group.isReading)
})

t.test('a topic that has ended while another ends starts no round of the group: its commit would wait', async t => {
  const {group, read, done} = openGroup(t)
  const handling = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<Handled>()
  await read('paid')
  const {stream} = await read('orders', undefined, async () => {
    handling.resolve()
    return answer.promise
  })
  stream.push(record('1', () => done.put('committed')))
  await handling.promise
  const closing = group.close()
  t.equal(await done.take(), 'stream closed')
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  answer.resolve('done')
  await closing
  t.same(done.takeRest(), ['committed', 'stream closed', 'client closed'])
})

/** Lets what is due happen, and a minute pass. */
const minute = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  mock.timers.tick(60_000)
}

t.test('an app that is away leaves its group, and goes on where it was once it is back', async t => {
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => mock.timers.reset())
  const {read, asked, closed, logged, done} = openGroup(t)
  const held = Promise.withResolvers<Handled>()
  let ready: PromiseWithResolvers<void> | undefined
  const begun = Promise.withResolvers<void>()
  const orders = await read(
    'orders',
    async () => ready?.promise,
    async () => {
      begun.resolve()
      return held.promise
    },
    () => {
      done.put('taken back')
      held.resolve('returned')
    }
  )
  orders.stream.offsetsToFetch.set('orders:0', 3n).set('orders:1', 4n).set('orders:2', 5n)
  orders.stream.emit('offsets')
  orders.stream.push(record('1', () => t.fail('it was not handled')))
  orders.stream.offsetsToFetch.set('orders:0', 9n)
  orders.stream.emit('offsets')
  await begun.promise
  await minute()
  await minute()
  ready = Promise.withResolvers()
  await minute()
  await minute()
  t.equal(await done.take(), 'taken back')
  t.same(await done.take(), [
    {topic: 'orders', partition: 0, offset: 3n, leaderEpoch: -1},
    {topic: 'orders', partition: 2, offset: 5n, leaderEpoch: -1}
  ])
  t.same([await done.take(), await done.take()], ['stream closed', 'client closed'])
  t.same(closed, [orders.consumer])
  await minute()
  ready.resolve()
  await minute()
  const next = await asked.take()
  t.not(next.consumer, orders.consumer)
  t.same(logged.takeRest(), [])
})

t.test('a topic of an app that is away, or read no more, goes to other members while others are read', async t => {
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => mock.timers.reset())
  const {group, read, asked, closed, logged, done} = openGroup(t)
  const paid = await read('paid')
  const ready = Promise.withResolvers<void>()
  await read(
    'orders',
    async () => ready.promise,
    undefined,
    () => undefined
  )
  await minute()
  await minute()
  t.same([await done.take(), await done.take()], ['stream closed', 'joined'])
  ready.resolve()
  await minute()
  t.equal((await asked.take()).consumer, paid.consumer, 'the others are read on')
  t.same([closed, logged.takeRest()], [[], []])
  const stop = await group.read({
    topic: 'sent',
    atOnce: 0,
    ready: async () => undefined,
    handle: async () => 'done',
    log: () => undefined
  })
  await stop()
  t.same([await done.take(), await done.take()], ['stream closed', 'joined'])
  t.same(closed, [])
})

t.test('what waits for an app when its topic stops comes to the next reader, though not committed', async t => {
  const {group, read, done} = openGroup(t)
  const handling = Promise.withResolvers<void>()
  const {stream} = await read('orders', undefined, async () => {
    handling.resolve()
    return Promise.resolve('returned')
  })
  stream.offsetsToFetch.set('orders:0', 3n)
  stream.emit('offsets')
  stream.push(record('3', () => done.put('committed')))
  stream.push(record('4', () => done.put('committed')))
  await handling.promise
  await group.close()
  t.same(await done.take(), [{topic: 'orders', partition: 0, offset: 3n, leaderEpoch: -1}])
  t.same(done.takeRest(), ['stream closed', 'client closed'])
})

t.test('what waits in each topic of a group that is closed comes to the next reader', async t => {
  const {group, read, done} = openGroup(t)
  const first = await read('orders')
  const second = await read('orders')
  for (const {stream} of [first, second]) {
    stream.offsetsToFetch.set('orders:0', 3n)
    stream.emit('offsets')
  }
  await group.close()
  const kept = [{topic: 'orders', partition: 0, offset: 3n, leaderEpoch: -1}]
  t.same(done.takeRest(), [kept, 'stream closed', kept, 'stream closed', 'client closed'])
})

t.test('a broker that does not answer is waited for once, however many topics are stopped', async t => {
  const {group, read, closed} = openGroup(t)
  const limits: AbortController[] = []
  t.intercept(AbortSignal, 'timeout', {
    value: () => {
      const limit = new AbortController()
      limits.push(limit)
      return limit.signal
    }
  })
  t.intercept(Consumer.prototype, 'listCommittedOffsets', {value: async () => new Promise(() => undefined)})
  await read('orders')
  await read('orders')
  const closing = group.close()
  while (limits.length < 2) await new Promise(setImmediate)
  for (const limit of limits) limit.abort()
  await closing
  t.equal(closed.length, 1)
})

t.test('what comes while a lost stream is opened again is read, also if the group has committed nothing', async t => {
  const {read, asked, done} = openGroup(t)
  const {stream} = await read('orders')
  stream.offsetsToFetch.set('orders:0', 5n).set('orders:1', 6n)
  stream.emit('offsets')
  stream.destroy(new Error('the broker is gone'))
  const again = await asked.take()
  t.equal(await done.take(), 'client closed')
  t.match(await done.take(), [{topic: 'orders', partition: 0, offset: 5n}])
  t.equal(await done.take(), 'stream closed')
  t.equal((await asked.take()).consumer, again.consumer, 'read from there')
})
