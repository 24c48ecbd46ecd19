import {Readable} from 'node:stream'
import {Consumer} from '@platformatic/kafka'
import t, {type Test} from 'tap'
import type {BrokerMessage, Handled} from '../../../../src/dapr/components/pubsub.ts'
import {KafkaGroup, type TopicRead} from '../../../../src/dapr/components/kafka/kafka-group.ts'
import {kafkaSettings} from '../../../../src/dapr/components/kafka/kafka-settings.ts'
import {Properties} from '../../../../src/dapr/components/properties.ts'
import {StartQueue} from '../../../rig/queue.ts'

const place = {file: 'bus.yaml', line: 1, column: 1, source: ''}
const METADATA = {brokers: '127.0.0.1:1', authType: 'none', consumeRetryInterval: '1ms'}
const properties = Object.entries(METADATA).map(([name, value]) => ({name, value, place}))
const settings = kafkaSettings(new Properties(properties), true)

/** A stream that a group has asked for, and its consumer. */
interface Asked {
  readonly stream: Readable
  readonly consumer: unknown
}

/** A group whose consumers ask nobody: the test gives the streams. */
const openGroup = (t: Test) => {
  const asked = new StartQueue<Asked>()
  const closed: unknown[] = []
  t.intercept(Consumer.prototype, 'consume', {
    value: async function (this: unknown) {
      const readable = new Readable({objectMode: true, read: () => undefined})
      const stream = Object.assign(readable, {close: async () => Promise.resolve(void readable.destroy())})
      asked.put({stream, consumer: this})
      return Promise.resolve(stream)
    }
  })
  t.intercept(Consumer.prototype, 'close', {
    value: async function (this: unknown) {
      closed.push(this)
      return Promise.resolve()
    }
  })
  const group = new KafkaGroup('shop', settings)
  t.teardown(async () => group.close())
  const logged = new StartQueue<string>()
  const read = async (
    topic: string,
    ready: TopicRead['ready'] = async () => undefined,
    handle: TopicRead['handle'] = async () => 'done'
  ): Promise<Asked> => {
    await group.read({topic, atOnce: 0, ready, handle, log: (_, text) => logged.put(text)})
    return asked.take()
  }
  return {group, read, asked, closed, logged}
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
  headers: readonly (readonly [string, string?])[] = []
): object => ({
  value: Buffer.from(value),
  headers: new Map(headers.map(([name, content]) => [Buffer.from(name), content && Buffer.from(content)])),
  offset: 1n,
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
