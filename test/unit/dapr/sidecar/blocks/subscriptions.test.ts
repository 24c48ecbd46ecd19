import t from 'tap'
import {Properties} from '../../../../../src/dapr/components/properties.ts'
import type {SubscribeOptions} from '../../../../../src/dapr/components/pubsub.ts'
import {usualRule, type TopicSubscription} from '../../../../../src/files/resources/subscriptions.ts'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {EventChannel} from '../../../../../src/dapr/sidecar/blocks/event-channel.ts'
import {Subscriptions} from '../../../../../src/dapr/sidecar/blocks/subscriptions.ts'
import {StartQueue} from '../../../../rig/queue.ts'

/** A broker, and how many read it. */
function newBroker(isOpen: Promise<void>) {
  const broker = {
    reading: 0,
    subscribe: async () => {
      await isOpen
      broker.reading++
      return {stop: async () => void broker.reading--}
    }
  }
  return broker
}

type Write = (level: string, text: string) => unknown

/** Subscriptions to a broker, which may be another one at each look. */
function subscriptionsTo(
  component: () => object,
  log: {readonly write?: Write; readonly warn?: Write} = {}
): Subscriptions {
  const find = async () => ({component: component(), properties: new Properties([]), topicPrefix: ''})
  return new Subscriptions({
    appId: 'shop',
    component: find,
    components: {find},
    policies: () => undefined,
    counted: () => undefined,
    log: {isDebug: false, write: () => undefined, warn: () => undefined, ...log}
  } as unknown as BlockContext)
}

t.test('a stream that begins while its broker is opened again reads the new one', async t => {
  const isOpen = Promise.withResolvers<void>()
  const [before, after] = [newBroker(isOpen.promise), newBroker(Promise.resolve())]
  let component = before
  const subscriptions = subscriptionsTo(() => component)
  const topic = {pubsubName: 'bus', topic: 'a', metadata: {}, rules: [], deadLetterTopic: '', bulk: undefined}
  const opening = subscriptions.open(topic, {} as EventChannel, why => t.fail(why))
  await new Promise(setImmediate)
  component = after
  await subscriptions.renew()
  isOpen.resolve()
  const reader = await opening
  await new Promise(setImmediate)
  t.same([before.reading, after.reading], [0, 1])
  await reader.stop()
  t.same([before.reading, after.reading], [0, 0])
})

t.test('a stream whose client keeps an event holds up its own move to another broker, and no other topic', async t => {
  const kept = Promise.withResolvers<void>()
  const after = newBroker(Promise.resolve())
  let component: object = {subscribe: async () => ({stop: async () => kept.promise})}
  const subscriptions = subscriptionsTo(() => component)
  await subscriptions.open(wanted('a'), {} as EventChannel, why => t.fail(why))
  component = after
  const renewed = subscriptions.renew()
  await subscriptions.follow([wanted('b')], {} as EventChannel)
  t.equal(after.reading, 1)
  kept.resolve()
  await renewed
  t.equal(after.reading, 2)
})

/** A stream that has ended in the middle of an event. */
async function deliverToGone(): Promise<object> {
  await new Promise(setImmediate)
  return {kind: 'interrupted', isSent: true, text: 'stream closed'}
}

t.test('a stream that ends while its broker is opened again leaves what that brings to the next one', async t => {
  const isOpen = Promise.withResolvers<void>()
  const handled: string[] = []
  const message = {data: Buffer.from('{"id":"1"}'), metadata: {}}
  const after = {
    subscribe: async ({handle}: SubscribeOptions) => {
      await isOpen.promise
      const work = handle(message).then(what => void handled.push(what))
      return {stop: async () => work}
    }
  }
  let component: object = newBroker(Promise.resolve())
  const lines: string[] = []
  const write = (level: string, text: string): void => void lines.push(`${level}: ${text}`)
  const subscriptions = subscriptionsTo(() => component, {write, warn: write})
  const channel = {ready: async () => undefined, mayRead: async () => undefined, deliver: deliverToGone}
  const topic = {...wanted('a'), rules: [usualRule('/')]}
  const reader = await subscriptions.open(topic, channel as unknown as EventChannel, why => t.fail(why))
  component = after
  const renewed = subscriptions.renew()
  await new Promise(setImmediate)
  await reader.stop()
  isOpen.resolve()
  await renewed
  t.same(handled, ['returned'])
  t.same(lines, ["info: Subscribing to pubsub 'bus' topic 'a'"])
})

t.test('a broker that does not answer keeps no topic of another one from being read', async t => {
  const answers = Promise.withResolvers<void>()
  const brokers = new Map([
    ['slow', newBroker(answers.promise)],
    ['quick', newBroker(Promise.resolve())]
  ])
  const components = {
    find: async (_: unknown, name: string) => ({
      component: brokers.get(name),
      properties: new Properties([]),
      topicPrefix: ''
    })
  }
  const lines: string[] = []
  const log = {isDebug: false, write: (_: string, text: string) => lines.push(text), warn: () => undefined}
  const subscriptions = new Subscriptions({appId: 'shop', components, log} as unknown as BlockContext)
  const topic = {metadata: {}, rules: [], deadLetterTopic: '', bulk: undefined}
  const wanted = [
    {...topic, pubsubName: 'slow', topic: 'a'},
    {...topic, pubsubName: 'quick', topic: 'b'},
    {...topic, pubsubName: 'quick', topic: 'c'}
  ]
  const following = subscriptions.follow(wanted, {} as EventChannel)
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  t.equal(brokers.get('quick')?.reading, 2)
  answers.resolve()
  await following
  t.match(lines, [/topics: \[a\] through pubsub=slow$/, /topics: \[b c\] through pubsub=quick$/])
  await subscriptions.close()
  t.same(
    [...brokers.values()].map(({reading}) => reading),
    [0, 0]
  )
})

const wanted = (topic: string): TopicSubscription => ({
  pubsubName: 'bus',
  topic,
  metadata: {},
  rules: [],
  deadLetterTopic: '',
  bulk: undefined
})

t.test('a topic whose broker does not answer yet is read once it does; an unwanted one is not', async t => {
  const read: string[] = []
  let isThere = false
  const component = {
    subscribe: async ({topic}: {readonly topic: string}) => {
      if (!isThere) throw new Error('nobody answers there')
      read.push(topic)
      return {stop: async () => undefined}
    }
  }
  const lines = new StartQueue<string>()
  const subscriptions = subscriptionsTo(() => component, {write: (_: string, text: string) => lines.put(text)})
  t.teardown(async () => subscriptions.close())
  await subscriptions.follow([wanted('old')], {} as EventChannel)
  await subscriptions.follow([wanted('orders')], {} as EventChannel)
  isThere = true
  for (const text of [
    'failed to subscribe to topic old of pubsub bus: nobody answers there',
    'failed to subscribe to topic orders of pubsub bus: nobody answers there',
    'app is subscribed to the following topics: [orders] through pubsub=bus'
  ])
    t.equal(await lines.take(), text)
  t.same(read, ['orders'])
})

const failed = (topic: string): string => `failed to subscribe to topic ${topic} of pubsub bus:`

t.test('topics whose broker hangs are tried again together: an edit waits for one try; it is logged once', async t => {
  const tried: string[] = []
  const late = Promise.withResolvers<void>()
  const hangs = Promise.withResolvers<never>()
  const component = {
    subscribe: async ({topic}: {readonly topic: string}) => {
      if (topic === 'new') return {stop: async () => undefined}
      tried.push(topic)
      if (tried.length < 3) throw new Error('nobody answers there')
      late.resolve()
      return hangs.promise
    }
  }
  const lines: string[] = []
  const write = (level: string, text: string): void => void lines.push(`${level}: ${text}`)
  const subscriptions = subscriptionsTo(() => component, {write})
  t.teardown(async () => subscriptions.close())
  await subscriptions.follow([wanted('a'), wanted('b')], {} as EventChannel)
  await late.promise
  while (tried.length < 4) await new Promise(setImmediate)
  t.same(tried, ['a', 'b', 'a', 'b'])
  const edited = subscriptions.follow([wanted('new')], {} as EventChannel)
  hangs.reject(new Error('it took too long'))
  await edited
  t.same(lines, [
    `error: ${failed('a')} nobody answers there`,
    `error: ${failed('b')} nobody answers there`,
    `debug: ${failed('a')} it took too long`,
    `debug: ${failed('b')} it took too long`,
    'info: app is subscribed to the following topics: [new] through pubsub=bus'
  ])
})

t.test('a sidecar that closes while a topic is tried again begins no other one', async t => {
  const tried: string[] = []
  const late = Promise.withResolvers<void>()
  const hangs = Promise.withResolvers<never>()
  const component = {
    subscribe: async ({topic}: {readonly topic: string}) => {
      tried.push(topic)
      if (tried.length === 1) throw new Error('nobody answers there')
      late.resolve()
      return hangs.promise
    }
  }
  const subscriptions = subscriptionsTo(() => component)
  await subscriptions.follow([wanted('a')], {} as EventChannel)
  await late.promise
  const edited = subscriptions.follow([wanted('b')], {} as EventChannel)
  const closed = subscriptions.close()
  hangs.reject(new Error('it took too long'))
  await Promise.all([edited, closed])
  t.same(tried, ['a', 'a'])
})

t.test('where what waits is gone once nobody reads, the next reader begins before the last one is stopped', async t => {
  const events: string[] = []
  const newNamed = (name: string): object => ({
    forgetsUnread: true,
    subscribe: async () => {
      events.push(`${name} is read`)
      return {stop: async () => void events.push(`${name} is stopped`)}
    }
  })
  let component = newNamed('first')
  const subscriptions = subscriptionsTo(() => component)
  t.teardown(async () => subscriptions.close())
  await subscriptions.follow([wanted('a')], {} as EventChannel)
  component = newNamed('second')
  await subscriptions.follow([wanted('a')], {} as EventChannel)
  t.same(events.splice(0), ['first is read', 'second is read', 'first is stopped'])
  await subscriptions.open(wanted('b'), {} as EventChannel, why => t.fail(why))
  component = newNamed('third')
  events.length = 0
  await subscriptions.renew()
  t.same(events, ['third is read', 'second is stopped'])
})

t.test('and after it, where both at once are refused', async t => {
  let reading = 0
  const component = {
    forgetsUnread: true,
    subscribe: async () => {
      if (reading > 0) throw new Error('PRECONDITION_FAILED')
      reading++
      return {stop: async () => void reading--}
    }
  }
  const find = async () => ({component, properties: new Properties([]), topicPrefix: ''})
  const lines: string[] = []
  const log = {isDebug: false, write: (level: string) => lines.push(level), warn: () => undefined}
  const subscriptions = new Subscriptions({appId: 'shop', components: {find}, log} as unknown as BlockContext)
  await subscriptions.follow([wanted('a')], {} as EventChannel)
  await subscriptions.follow([{...wanted('a'), metadata: {maxLen: '1'}}], {} as EventChannel)
  t.same([reading, lines], [1, ['info', 'info']])
  await subscriptions.close()
  t.equal(reading, 0)
})

t.test('the reader before is stopped once the next one takes messages, which are delivered once it is', async t => {
  const events: string[] = []
  const begun = Promise.withResolvers<void>()
  const stopping = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<void>()
  const first = {
    subscribe: async () => ({
      stop: async () => {
        events.push('first is stopped')
        stopping.resolve()
        await answered.promise
      }
    })
  }
  let handled: Promise<unknown> | undefined
  const second = {
    forgetsUnread: true,
    subscribe: async ({handle}: {readonly handle: (message: object) => Promise<unknown>}) => {
      handled = handle({data: Buffer.from('{}'), metadata: {}}).catch(() => undefined)
      return {begun: begun.promise, stop: async () => undefined}
    }
  }
  let component: object = first
  const find = async () => ({component, properties: new Properties([]), topicPrefix: ''})
  const log = {isDebug: false, write: () => undefined, warn: () => undefined}
  const policies = (): never => {
    events.push('second delivers')
    throw new Error('delivered')
  }
  const context = {appId: 'shop', components: {find}, log, policies} as unknown as BlockContext
  const subscriptions = new Subscriptions(context)
  t.teardown(async () => subscriptions.close())
  await subscriptions.follow([wanted('a')], {} as EventChannel)
  component = second
  const edited = subscriptions.follow([wanted('a')], {} as EventChannel)
  await new Promise(setImmediate)
  t.same(events, [])
  begun.resolve()
  await stopping.promise
  await new Promise(setImmediate)
  t.same(events, ['first is stopped'])
  answered.resolve()
  await edited
  await handled
  t.same(events, ['first is stopped', 'second delivers'])
})

t.test('a topic of which the app keeps an event holds up no change of another topic', async t => {
  const kept = Promise.withResolvers<void>()
  const read: string[] = []
  const newBus = (): object => ({
    subscribe: async ({topic}: SubscribeOptions) => {
      read.push(topic)
      return {stop: async () => (topic === 'a' ? kept.promise : void read.push(`not ${topic}`))}
    }
  })
  let component = newBus()
  const subscriptions = subscriptionsTo(() => component)
  await subscriptions.follow([wanted('a'), wanted('b')], {} as EventChannel)
  component = newBus()
  const first = subscriptions.follow([wanted('a'), wanted('b')], {} as EventChannel)
  const second = subscriptions.follow([wanted('a'), wanted('c')], {} as EventChannel)
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  t.same(read.splice(0).slice(2).toSorted(), ['c', 'not b'])
  kept.resolve()
  await Promise.all([first, second])
  t.same(read, ['a'])
  await subscriptions.close()
})
