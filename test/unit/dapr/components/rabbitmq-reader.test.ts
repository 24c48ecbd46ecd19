import {EventEmitter} from 'node:events'
import {mock} from 'node:test'
import type {Channel, RecoveringChannelModel} from 'amqplib'
import t from 'tap'
import {closeChannel, RabbitReader} from '../../../../src/dapr/components/pubsub/rabbitmq-reader.ts'
import type {RabbitSettings} from '../../../../src/dapr/components/pubsub/rabbitmq-settings.ts'

/** A channel as the library has it: its `close` settles by an answer of the broker alone. */
class FakeChannel extends EventEmitter {
  readonly consumed = Promise.withResolvers<void>()
  readonly closing = Promise.withResolvers<void>()

  readonly done: string[] = []
  readonly takers: ((message: object) => void)[] = []

  async consume(
    _queue: string,
    take: (message: object) => void,
    how: {priority?: number; noAck?: boolean}
  ): Promise<object> {
    this.consumed.resolve()
    const consumerTag = String(this.takers.push(take))
    this.done.push(`begin ${consumerTag} ${how.priority ?? 0}${how.noAck === true ? ' noAck' : ''}`)
    return Promise.resolve({consumerTag})
  }

  async cancel(tag: string): Promise<void> {
    this.done.push(`cancel ${tag}`)
    return Promise.resolve()
  }

  ack({content}: {content: Buffer}): void {
    this.done.push(`ack ${content.toString()}`)
  }

  nack({content}: {content: Buffer}): void {
    this.done.push(`nack ${content.toString()}`)
  }

  async assertExchange(): Promise<void> {}
  async assertQueue(): Promise<void> {}
  async bindQueue(): Promise<void> {}

  async prefetch(count: number): Promise<void> {
    this.done.push(`prefetch ${count}`)
    return Promise.resolve()
  }

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

const readerOf = (
  channel: FakeChannel,
  next: () => Promise<FakeChannel>,
  more: object = {},
  own: Partial<RabbitSettings> = {}
): RabbitReader =>
  new RabbitReader({createChannel: next} as unknown as RecoveringChannelModel, asChannel(channel), {
    settings: {reconnectWaitMs: 1, consumerId: '', ...own} as unknown as RabbitSettings,
    options: {...options, ...more}
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

const minute = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  mock.timers.tick(60_000)
}

t.test('what an app that is away has not got goes to other consumers, and its queue keeps one', async t => {
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => mock.timers.reset())
  const channel = new FakeChannel()
  let ready: PromiseWithResolvers<void> | undefined
  let held = Promise.withResolvers<string>()
  const answer = (word: string): void => {
    held.resolve(word)
    held = Promise.withResolvers()
  }
  const reader = readerOf(channel, async () => channel, {
    ready: async () => ready?.promise,
    handle: async () => held.promise,
    takeBack: () => answer('returned')
  })
  /** What has been done since it was last asked, once there is more than that. */
  const next = async (count: number): Promise<readonly string[]> => {
    while (channel.done.length < count) await new Promise(setImmediate)
    return channel.done.splice(0)
  }
  t.same(await next(2), ['prefetch 256', 'begin 1 0'])
  await minute()
  await minute()
  ready = Promise.withResolvers()
  channel.takers[0]?.({content: Buffer.from('a'), properties: {}})
  await minute()
  await minute()
  t.same(await next(4), ['prefetch 1', 'begin 2 -1', 'cancel 1', 'nack a'])
  channel.takers[1]?.({content: Buffer.from('b'), properties: {}})
  ready.resolve()
  t.same(await next(3), ['prefetch 256', 'begin 3 0', 'cancel 2'])
  answer('done')
  t.same(await next(1), ['ack b'])
  void reader.stop()
  t.same(await next(1), ['cancel 3'])
})

for (const deletedWhenUnused of [false, true])
  t.test(`autoAck: an absent app’s queue keeps its messages (deletedWhenUnused: ${deletedWhenUnused})`, async t => {
    mock.timers.enable({apis: ['setTimeout']})
    t.teardown(() => mock.timers.reset())
    const channel = new FakeChannel()
    let ready: PromiseWithResolvers<void> | undefined
    const given: string[] = []
    const reader = readerOf(
      channel,
      async () => channel,
      {
        ready: async () => ready?.promise,
        handle: async ({data}: {data: Buffer}) => Promise.resolve(given.push(data.toString())),
        takeBack: () => t.fail('what was acknowledged cannot go back')
      },
      {autoAck: true, deletedWhenUnused}
    )
    while (channel.done.length < 2) await new Promise(setImmediate)
    await minute()
    ready = Promise.withResolvers()
    await minute()
    await minute()
    channel.takers[0]?.({content: Buffer.from('late'), properties: {}})
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    const begun = ['prefetch 256', 'begin 1 0 noAck', 'prefetch 1', 'begin 2 -1', 'cancel 1']
    t.same(channel.done, begun)
    t.same(given, ['late'], 'what has come is the app’s')
    ready.resolve()
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    t.same(channel.done, [...begun, 'prefetch 256', 'begin 3 0 noAck', 'cancel 2'])
    void reader.stop()
  })

t.test('a queue that is gone without a consumer has one, also where its app takes nothing yet', async t => {
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => mock.timers.reset())
  const channel = new FakeChannel()
  const ready = Promise.withResolvers<void>()
  const reader = readerOf(channel, async () => channel, {ready: async () => ready.promise}, {deletedWhenUnused: true})
  await minute()
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  t.same(channel.done.splice(0), ['prefetch 1', 'begin 1 -1'])
  if (channel.takers.length > 0) await reader.begun.promise
  ready.resolve()
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  t.same(channel.done, ['prefetch 256', 'begin 2 0', 'cancel 1'])
  void reader.stop()
})

t.test('autoAck: what comes before the app takes anything is not acknowledged, and goes back at the end', async t => {
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => mock.timers.reset())
  const channel = new FakeChannel()
  const more = {ready: async () => new Promise(() => undefined), handle: async () => t.fail('it takes nothing')}
  const reader = readerOf(channel, async () => channel, more, {autoAck: true, deletedWhenUnused: true})
  await minute()
  await reader.begun.promise
  channel.takers[0]?.({content: Buffer.from('early'), properties: {}})
  void reader.stop()
  await channel.closing.promise
  t.same(channel.done, ['prefetch 1', 'begin 1 -1', 'cancel 1', 'nack early'])
})

for (const autoAck of [false, true])
  t.test(`what comes while an app is not ready goes back, as others may take it (autoAck: ${autoAck})`, async t => {
    mock.timers.enable({apis: ['setTimeout']})
    t.teardown(() => mock.timers.reset())
    const channel = new FakeChannel()
    const ready = Promise.withResolvers<void>()
    const given: string[] = []
    const handle = async ({data}: {data: Buffer}): Promise<string> => (given.push(data.toString()), 'done')
    const more = {ready: async () => ready.promise, handle}
    const reader = readerOf(channel, async () => channel, more, {autoAck, deletedWhenUnused: true})
    await minute()
    await reader.begun.promise
    channel.takers[0]?.({content: Buffer.from('early'), properties: {}})
    await minute()
    await minute()
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    t.same([channel.done.splice(0), given], [['prefetch 1', 'begin 1 -1', 'nack early'], []])
    channel.takers[0]?.({content: Buffer.from('early'), properties: {}})
    ready.resolve()
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    t.same(given, ['early'])
    t.ok(channel.done.includes('ack early'))
    void reader.stop()
  })
