import {EventEmitter} from 'node:events'
import type {Channel, RecoveringChannelModel} from 'amqplib'
import t from 'tap'
import {closeChannel, RabbitReader} from '../../../../src/dapr/components/pubsub/rabbitmq-reader.ts'
import type {RabbitSettings} from '../../../../src/dapr/components/pubsub/rabbitmq-settings.ts'

/** A channel as the library has it: its `close` settles by an answer of the broker alone. */
class FakeChannel extends EventEmitter {
  readonly consumed = Promise.withResolvers<void>()
  readonly closing = Promise.withResolvers<void>()

  async consume(): Promise<object> {
    this.consumed.resolve()
    return {consumerTag: 'one'}
  }

  async cancel(): Promise<void> {}
  async assertExchange(): Promise<void> {}
  async assertQueue(): Promise<void> {}
  async bindQueue(): Promise<void> {}
  async prefetch(): Promise<void> {}

  async close(): Promise<void> {
    this.closing.resolve()
    await new Promise(() => undefined)
  }
}

const asChannel = (channel: FakeChannel): Channel => channel as unknown as Channel

const options = {
  topic: 'orders',
  group: 'shop',
  metadata: {},
  ready: async () => undefined,
  atOnce: 0,
  handle: async () => 'done' as const,
  log: () => undefined
}

const readerOf = (channel: FakeChannel, next: () => Promise<FakeChannel>): RabbitReader =>
  new RabbitReader({createChannel: next} as unknown as RecoveringChannelModel, asChannel(channel), {
    settings: {reconnectWaitMs: 1, consumerId: ''} as unknown as RabbitSettings,
    options
  })

t.test('a reader has stopped where the connection is lost while its channel is closed', async t => {
  const channel = new FakeChannel()
  const reader = readerOf(channel, async () => channel)
  await channel.consumed.promise
  const stopped = reader.stop()
  await channel.closing.promise
  channel.emit('close')
  await stopped
  const other = new FakeChannel()
  const closed = closeChannel(asChannel(other))
  await other.closing.promise
  other.emit('close')
  await closed
  t.pass('both have ended')
})

t.test('a channel that is there when its reader has stopped is closed', async t => {
  const [lost, late] = [new FakeChannel(), new FakeChannel()]
  const opening = Promise.withResolvers<FakeChannel>()
  const asked = Promise.withResolvers<void>()
  const reader = readerOf(lost, async () => {
    asked.resolve()
    return opening.promise
  })
  await lost.consumed.promise
  lost.emit('close')
  await asked.promise
  await reader.stop()
  opening.resolve(late)
  await late.closing.promise
  t.pass('it is')
})
