import {getEventListeners} from 'node:events'
import {mock} from 'node:test'
import t from 'tap'
import {Properties} from '../../../../../src/dapr/components/properties.ts'
import type {BrokerMessage, Handled, SubscribeOptions} from '../../../../../src/dapr/components/pubsub.ts'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {EventChannel} from '../../../../../src/dapr/sidecar/blocks/event-channel.ts'
import {Subscriptions} from '../../../../../src/dapr/sidecar/blocks/subscriptions.ts'
import {bulkSettings, usualRule, type TopicSubscription} from '../../../../../src/files/resources/subscriptions.ts'

const topicOf = (pubsubName: string): TopicSubscription => ({
  pubsubName,
  topic: 'orders',
  metadata: {},
  rules: [usualRule('/')],
  deadLetterTopic: '',
  bulk: undefined
})

/** The subscriptions of an app to these brokers, and the lines of their log. */
function subscriptionsOf(brokers: Readonly<Record<string, object>>) {
  const lines: string[] = []
  const find = async (_: unknown, name: string) => ({
    component: brokers[name],
    properties: new Properties([]),
    topicPrefix: ''
  })
  const context = {
    appId: 'shop',
    components: {find},
    policies: () => undefined,
    counted: () => undefined,
    log: {
      isDebug: false,
      write: (level: string, text: string) => lines.push(`${level}: ${text}`),
      warn: () => undefined
    }
  }
  return {lines, subscriptions: new Subscriptions(context as unknown as BlockContext)}
}

const begun = (name: string): string =>
  `info: app is subscribed to the following topics: [orders] through pubsub=${name}`

/** The subscriptions of an app to a broker that follows settings, and how a message comes there. */
function busOf() {
  let handler: SubscribeOptions['handle'] | undefined
  const subscribe = async ({handle}: SubscribeOptions) => {
    handler = handle
    return {stop: async () => undefined}
  }
  const deliver = async (message: BrokerMessage): Promise<Handled> => (await handler?.(message)) ?? 'returned'
  return {...subscriptionsOf({bus: {followsSettings: true, subscribe}}), deliver}
}

const cannotStop = async (): Promise<never> => Promise.reject(new Error('it cannot stop'))

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

t.test('a broker that never answers is waited for a minute, and its topic is read should it answer later', async t => {
  t.teardown(() => mock.timers.reset())
  mock.timers.enable({apis: ['setTimeout']})
  const answers = Promise.withResolvers<void>()
  const {subscriptions, lines} = subscriptionsOf({
    slow: {subscribe: async () => answers.promise.then(() => ({stop: async () => undefined}))},
    quick: {subscribe: async () => ({stop: async () => undefined})}
  })
  let isDone = false
  const following = subscriptions
    .follow([topicOf('slow'), topicOf('quick')], {} as EventChannel)
    .then(() => (isDone = true))
  await turns()
  mock.timers.tick(59_999)
  await turns()
  t.equal(isDone, false)
  mock.timers.tick(1)
  await following
  t.same(lines, [begun('quick')])
  answers.resolve()
  await turns()
  t.same(lines, [begun('quick'), begun('slow')])
  await subscriptions.close()
})

t.test('edits of how events come in batches count at once, and leave nothing at the signal of their topic', async t => {
  let deliver: ((message: BrokerMessage) => Promise<Handled>) | undefined
  const {subscriptions} = subscriptionsOf({
    bus: {
      followsSettings: true,
      subscribe: async ({handle}: SubscribeOptions) => {
        deliver = handle
        return {stop: async () => undefined}
      }
    }
  })
  const signals = new Set<AbortSignal>()
  const sizes: number[] = []
  const channel = {
    ready: (signal: AbortSignal) => void signals.add(signal),
    deliverBatch: async (_: unknown, entries: readonly unknown[]) => {
      sizes.push(entries.length)
      return entries.map(() => ({kind: 'success'}))
    }
  } as unknown as EventChannel
  for (let size = 1; size <= 20; size++) {
    await subscriptions.follow([{...topicOf('bus'), bulk: bulkSettings(size, 1e9)}], channel)
    const messages = Array.from({length: size}, (_, n) => ({data: Buffer.from(`{"id":"${n}"}`), metadata: {}}))
    t.same(new Set(await Promise.all(messages.map(async message => deliver?.(message)))), new Set(['done']))
  }
  t.same(
    sizes,
    Array.from({length: 20}, (_, n) => n + 1)
  )
  t.equal(signals.size, 1)
  for (const signal of signals) t.ok(getEventListeners(signal, 'abort').length < 5)
  await subscriptions.close()
})

t.test('events in batches wait no longer than an edit allows, also behind those that came before it', async t => {
  t.teardown(() => mock.timers.reset())
  mock.timers.enable({apis: ['setTimeout']})
  const {subscriptions, deliver} = busOf()
  const channel = {
    ready: () => undefined,
    deliverBatch: async (_: unknown, entries: readonly unknown[]) => entries.map(() => ({kind: 'success'}))
  } as unknown as EventChannel
  const handled: string[] = []
  const send = (id: string): void =>
    void deliver({data: Buffer.from(`{"id":"${id}"}`), metadata: {}}).then(() => handled.push(id))
  await subscriptions.follow([{...topicOf('bus'), bulk: bulkSettings(100, 60_000)}], channel)
  send('before')
  await subscriptions.follow([{...topicOf('bus'), bulk: bulkSettings(100, 10)}], channel)
  send('after')
  mock.timers.tick(10)
  await turns()
  t.strictSame(handled, ['before', 'after'])
  await subscriptions.close()
})

t.test('a topic that is not wanted once its broker answers, and whose reader fails to stop, ends no run', async t => {
  t.teardown(() => mock.timers.reset())
  mock.timers.enable({apis: ['setTimeout']})
  const answers = Promise.withResolvers<void>()
  const {subscriptions} = subscriptionsOf({
    slow: {subscribe: async () => answers.promise.then(() => ({stop: cannotStop}))}
  })
  const unhandled: unknown[] = []
  const note = (error: unknown): unknown => unhandled.push(error)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const both = [1, 2].map(async () => subscriptions.follow([topicOf('slow')], {} as EventChannel))
  await turns()
  mock.timers.tick(60_000)
  await Promise.all(both)
  const none = subscriptions.follow([], {} as EventChannel)
  await turns()
  mock.timers.tick(2000)
  await none
  answers.resolve()
  await turns()
  t.strictSame(unhandled, [])
})
