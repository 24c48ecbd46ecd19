import {EventEmitter} from 'node:events'
import {setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'
import type {ConfirmChannel} from 'amqplib'
import t from 'tap'
import {Properties} from '../../../../src/dapr/components/properties.ts'
import {RabbitBroker} from '../../../../src/dapr/components/pubsub/rabbitmq.ts'
import {rabbitSettings, type RabbitSettings} from '../../../../src/dapr/components/pubsub/rabbitmq-settings.ts'
import {Publisher} from '../../../../src/dapr/components/pubsub/rabbitmq-publisher.ts'

/** A channel whose broker confirms, refuses, or says nothing, by the text of a message. */
class Channel extends EventEmitter {
  readonly #open: ((error: Error | null) => void)[] = []

  publish(_: string, __: string, data: Buffer, ___: object, confirmed: (error: Error | null) => void): void {
    const text = data.toString()
    if (text === 'yes') queueMicrotask(() => confirmed(null))
    else if (text === 'no') queueMicrotask(() => confirmed(new Error('message nacked')))
    else this.#open.push(confirmed)
  }

  /** As the library does: those that wait hear of it before the event. */
  end(): void {
    for (const confirmed of this.#open) confirmed(new Error('channel closed'))
    this.emit('close')
  }
}

const publisherOn = (channel: Channel): Publisher =>
  new Publisher(channel as unknown as ConfirmChannel, async () => undefined)

const publication = (text: string) => ({topic: 'orders', key: '', data: Buffer.from(text), options: {}})

t.test('what waits for the broker fails with its channel, for the reason that this has', async t => {
  const [channel, other] = [new Channel(), new Channel()]
  const publisher = publisherOn(channel)
  await publisher.publish(publication('yes'))
  await t.rejects(publisher.publish(publication('no')), {message: 'did not receive confirmation of publishing'})
  const waiting = publisher.publish(publication('later'))
  await new Promise(setImmediate)
  t.equal(publisher.isClosed, false)
  channel.emit('error', new Error('no exchange'))
  channel.end()
  await t.rejects(waiting, {message: 'no exchange'})
  t.equal(publisher.isClosed, true)
  const lost = publisherOn(other)
  const left = lost.publish(publication('later'))
  await new Promise(setImmediate)
  other.end()
  await t.rejects(left, {message: 'the channel to RabbitMQ is closed'})
  t.equal(lost.isClosed, true)
})

t.test('nothing is kept of what was published', async t => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const publisher = publisherOn(new Channel())
  const publishMany = async (): Promise<number> => {
    for (let count = 0; count < 30_000; count++) await publisher.publish(publication('yes'))
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = await publishMany()
  const grown = (await publishMany()) - before
  // it was 38 MB of 30,000
  t.ok(grown < 15_000_000, `${grown} bytes`)
})

/** Confirms what is published a turn later, unless its broker has refused a message on the same channel by then. */
class StrictChannel extends EventEmitter {
  readonly #open = new Set<(error: Error | null) => void>()

  publish(_: string, __: string, data: Buffer, ___: object, confirmed: (error: Error | null) => void): void {
    this.#open.add(confirmed)
    if (data.toString() === 'too large') setImmediate(() => this.#end())
    else setImmediate(() => setImmediate(() => this.#open.delete(confirmed) && confirmed(null)))
  }

  #end(): void {
    this.emit('error', new Error('PRECONDITION_FAILED'))
    for (const confirmed of this.#open) confirmed(new Error('channel closed'))
    this.#open.clear()
    this.emit('close')
  }

  async assertExchange(): Promise<void> {}

  async close(): Promise<void> {}
}

const openStrict = async (): Promise<StrictChannel> => new StrictChannel()

const place = {file: 'bus.yaml', line: 1, column: 1, source: ''}
const settings = rabbitSettings(new Properties([{name: 'reconnectWaitSeconds', value: '1ms', place}]))
const Broker = RabbitBroker as unknown as new (connection: object, settings: RabbitSettings) => RabbitBroker

t.test('a message that the broker refuses takes no other one with it, though it closes their channel', async t => {
  const broker = new Broker({createConfirmChannel: openStrict, createChannel: openStrict}, settings)
  const publish = async (text: string): Promise<void> =>
    broker.publish('orders', {data: Buffer.from(text), metadata: {}})
  await publish('first')
  const refused = t.rejects(publish('too large'), {message: 'PRECONDITION_FAILED'})
  await Promise.all(Array.from({length: 20}, async (_, at) => publish(at.toString())))
  await refused
})

t.test('messages whose channel is lost wait together for a broker that stays away, not one by one', async t => {
  const channels: StrictChannel[] = []
  const openLost = async (): Promise<StrictChannel> => {
    if (channels.push(new StrictChannel()) > 1) throw new Error('no broker')
    return channels[0] as StrictChannel
  }
  const broker = new Broker({createConfirmChannel: openLost, createChannel: openStrict}, settings)
  const publish = async (text: string): Promise<void> =>
    broker.publish('orders', {data: Buffer.from(text), metadata: {}})
  await publish('first')
  const results = await Promise.allSettled(['too large', 'a', 'b', 'c'].map(publish))
  t.strictSame(
    results.map(each => each.status === 'rejected' && (each.reason as Error).message),
    results.map(() => 'no broker')
  )
  t.equal(channels.length, 2)
})

t.test('those whose channel is lost again before they are repeated wait together, too', async t => {
  let opened = 0
  const openLost = async (): Promise<StrictChannel> => {
    if (++opened <= 2) return new StrictChannel()
    // all of them have had their turn by then
    for (let turns = 0; turns < 50; turns++) await new Promise(setImmediate)
    throw new Error('no broker')
  }
  const broker = new Broker({createConfirmChannel: openLost, createChannel: openStrict}, settings)
  const publish = async (text: string): Promise<void> =>
    broker.publish('orders', {data: Buffer.from(text), metadata: {}})
  await publish('first')
  const results = await Promise.allSettled(['too large', 'a', 'b', 'c', 'd', 'e'].map(publish))
  t.strictSame(
    results.map(each => each.status === 'rejected' && (each.reason as Error).message),
    results.map(() => 'no broker')
  )
  // once for all of those that waited, and once more for the one that was refused, if it comes late
  t.ok(opened <= 4, `${opened} channels`)
})
