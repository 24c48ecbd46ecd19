import {isDeepStrictEqual} from 'node:util'
import type {AppComponent} from '../../components/app-components.ts'
import type {BrokerMessage, Handled, TopicReader} from '../../components/pubsub.ts'
import type {TopicBacklog} from '../../../model/activity.ts'
import {messageOf} from '../../../model/errors.ts'
import {within} from '../../../platform/delay.ts'
import type {LogLevel} from '../../../model/plan.ts'
import {SerialQueue} from '../../../model/serial-queue.ts'
import type {TopicSubscription} from '../../../files/resources/subscriptions.ts'
import {daprError} from './block-error.ts'
import {BulkDelivery} from './bulk-delivery.ts'
import type {EventChannel} from './event-channel.ts'
import {EventDelivery, type EventDeliveryOptions} from './event-delivery.ts'
import {EventReaders, ReturnableDelivery, stopReader, type RunningReader} from './event-readers.ts'
import {pubsubNotFound} from './publishing.ts'
import {isTopicAllowed} from './topic-scopes.ts'

/** A subscription whose messages are read. */
interface ReadTopic extends RunningReader {
  /** The subscription, whose routes may change while it is read. */
  subscription: TopicSubscription
  readonly broker: AppComponent<'pubsub'>
  readonly reader: TopicReader
  /** Messages that are being delivered, retries included, and the number of all that ever were. */
  readonly delivering: {waiting: number; count: number}
}

/** A subscription over a stream of the app, which has a channel of its own. */
interface StreamedTopic {
  readonly channel: EventChannel
  topic: ReadTopic
  /** Called with the reason when the subscription cannot continue. */
  readonly failed: (why: string) => void
  /** Queue of moves to another broker. A move waits for its client, and delays no other subscription. */
  readonly moves: SerialQueue
}

/** The arguments of reading a topic. */
type ReadArguments = readonly [TopicSubscription, AppComponent<'pubsub'>, EventChannel]

/** Longest wait for a successor to begin before the earlier reader is stopped, in ms. */
const BEGIN_MS = 2000

/** Whether two subscriptions differ at most in their routes, so that one reader serves both. */
const isReadAlike = (a: TopicSubscription, b: TopicSubscription): boolean =>
  isDeepStrictEqual([a.bulk, a.metadata], [b.bulk, b.metadata])

const isSameBroker = (a: AppComponent<'pubsub'> | undefined, b: AppComponent<'pubsub'> | undefined): boolean =>
  a?.component === b?.component && a?.topicPrefix === b?.topicPrefix

/** Reads the topics of one app, and delivers their events: of lists and files, and of the app's streams (Dapr: pkg/runtime/processor/subscriber). */
export class Subscriptions extends EventReaders<TopicSubscription, ReadTopic> {
  readonly #streamed = new Set<StreamedTopic>()

  get streamed(): readonly TopicSubscription[] {
    return [...this.#streamed].map(({topic}) => topic.subscription)
  }

  /** The messages that wait for the app or are being delivered to it. */
  get backlogs(): readonly Omit<TopicBacklog, 'app' | 'type'>[] {
    const all = [...this.running.values(), ...[...this.#streamed].map(({topic}) => topic)]
    return all.map(({subscription: {pubsubName, topic}, reader, delivering}) => ({
      pubsubName,
      topic,
      isSeen: reader.backlog !== undefined,
      manyWaiting: reader.manyWaiting ?? 0,
      read: async () => {
        const {waiting, count} = (await reader.backlog?.()) ?? {waiting: 0, count: 0}
        return {waiting: Math.max(waiting, delivering.waiting), count: count + delivering.count}
      }
    }))
  }

  /** Reads exactly these topics from now on, besides streams. A topic that is read already continues with its new routes. Logs errors of a topic. */
  async follow(wanted: readonly TopicSubscription[], channel: EventChannel): Promise<void> {
    await this.followAll(wanted, async (each, level) => this.#begin(each, channel, level))
  }

  protected keyOf({pubsubName, topic}: TopicSubscription): string {
    return JSON.stringify([pubsubName, topic])
  }

  protected override begun(all: readonly TopicSubscription[]): void {
    for (const [name, some] of Map.groupBy(all, ({pubsubName}) => pubsubName)) {
      const topics = some.map(({topic}) => topic).join(' ')
      this.context.log.write('info', `app is subscribed to the following topics: [${topics}] through pubsub=${name}`)
    }
  }

  /** Begins to read a topic. If it is read already, changes its routes, or replaces its reader. */
  async #begin(subscription: TopicSubscription, channel: EventChannel, level: LogLevel): Promise<boolean | undefined> {
    const {log} = this.context
    const key = this.keyOf(subscription)
    const {pubsubName, topic} = subscription
    try {
      const broker = await this.#brokerOf(subscription)
      const current = this.running.get(key)
      if (broker !== undefined && current !== undefined && isSameBroker(current.broker, broker)) {
        const isSame = broker.component.followsSettings === true || isReadAlike(current.subscription, subscription)
        current.subscription = subscription
        if (isSame) return false
      }
      const successor = broker && (await this.#replace(current, subscription, broker, channel))
      if (successor === undefined) await this.stop(key)
      if (broker === undefined || (successor === undefined && !this.isWanted(subscription))) return false
      this.running.set(key, successor ?? (await this.#read(subscription, broker, channel)))
      return true
    } catch (error) {
      log.write(level, `failed to subscribe to topic ${topic} of pubsub ${pubsubName}: ${messageOf(error)}`)
      return undefined
    }
  }

  /** Finds the component of a subscription; undefined: there is none, or the app must not subscribe, which is logged. */
  async #brokerOf({pubsubName, topic}: TopicSubscription): Promise<AppComponent<'pubsub'> | undefined> {
    const {log, appId} = this.context
    const broker = await this.context.components.find('pubsub', pubsubName)
    if (broker === undefined) {
      const why = this.context.whyNone('pubsub', pubsubName)
      log.write('warn', `no pub/sub component ${pubsubName} for the subscription to topic ${topic}${why}`)
      return undefined
    }
    if (isTopicAllowed(broker.properties, 'subscriptionScopes', {appId, topic})) return broker
    log.write('warn', `subscription to topic '${topic}' on pubsub '${pubsubName}' is not allowed`)
    return undefined
  }

  /** Reads a topic over a stream, until it is stopped. Rejects with a BlockError. `failed`: called if it cannot continue after a change of its component. */
  async open(
    subscription: TopicSubscription,
    channel: EventChannel,
    failed: StreamedTopic['failed']
  ): Promise<TopicReader> {
    const {pubsubName, topic} = subscription
    const {log, appId} = this.context
    const missing = pubsubNotFound(pubsubName, {})
    const broker = await this.context.component('pubsub', pubsubName, {none: missing, unknown: missing})
    const refused = daprError([500, 'unknown', ''], `failed to create subscription for ${pubsubName}: `)
    if (!isTopicAllowed(broker.properties, 'subscriptionScopes', {appId, topic}))
      throw refused(`subscription to topic '${topic}' on pubsub '${pubsubName}' is not allowed`)
    const read = await this.#read(subscription, broker, channel).catch((error: unknown) => {
      throw refused(messageOf(error))
    })
    const streamed: StreamedTopic = {channel, failed, topic: read, moves: new SerialQueue()}
    this.#streamed.add(streamed)
    // the component may have been opened again meanwhile
    void streamed.moves.run(async () => this.#moveToCurrentBroker(streamed))
    log.write('info', `Subscribing to pubsub '${pubsubName}' topic '${topic}'`)
    return {
      stop: async () => {
        this.#streamed.delete(streamed)
        await stopReader(streamed.topic)
      }
    }
  }

  /** Moves subscriptions over streams to components that were opened again. */
  async renew(): Promise<void> {
    await Promise.all(
      [...this.#streamed].map(async each => each.moves.run(async () => this.#moveToCurrentBroker(each)))
    )
  }

  /** Moves a subscription over a stream to its broker if that was opened again. Never rejects. */
  async #moveToCurrentBroker(streamed: StreamedTopic): Promise<void> {
    const {topic: current, channel, failed} = streamed
    const {subscription} = current
    try {
      const broker = await this.#brokerOf(subscription)
      if (isSameBroker(broker, current.broker)) return
      const successor = broker && (await this.#replace(current, subscription, broker, channel))
      if (successor === undefined) await stopReader(current)
      if (broker === undefined) return failed('stream closed')
      if (successor === undefined && !this.#streamed.has(streamed)) return
      streamed.topic = successor ?? (await this.#read(subscription, broker, channel))
      if (!this.#streamed.has(streamed)) await stopReader(streamed.topic)
    } catch (error) {
      failed(messageOf(error))
    }
  }

  /** Begins a successor, then stops `current`, if its broker drops events without a reader; undefined: `current` has to be stopped first. */
  async #replace(current: ReadTopic | undefined, ...[subscription, broker, channel]: ReadArguments) {
    if (current === undefined || broker.component.forgetsUnread !== true) return undefined
    const stopped = Promise.withResolvers<void>()
    const successor = await this.#read(subscription, broker, channel, stopped.promise).catch(() => undefined)
    // the successor may not begin while the app accepts no events
    await within(BEGIN_MS, successor?.reader.begun ?? Promise.resolve())
    if (successor !== undefined) await stopReader(current).finally(stopped.resolve)
    return successor
  }

  /** Reads a topic. Its events are delivered once `mayDeliver` settles; omitted: at once. */
  async #read(...[subscription, broker, channel, mayDeliver]: [...ReadArguments, Promise<void>?]): Promise<ReadTopic> {
    const {context} = this
    const {appId: group, log} = context
    const stopping = new AbortController()
    const delivering = {waiting: 0, count: 0}
    const topic: Omit<ReadTopic, 'reader'> = {subscription, broker, stopping, delivering}
    const shared = {context, channel, broker, subscription: () => topic.subscription}
    const delivery = new ReturnableDelivery(stopping, signal => new TopicDelivery({...shared, signal}))
    const reader = await broker.component.subscribe({
      topic: broker.topicPrefix + subscription.topic,
      group,
      metadata: subscription.metadata,
      ready: async () => channel.mayRead(stopping.signal),
      takeBack: () => delivery.takeBack(),
      get atOnce() {
        return topic.subscription.bulk?.maxMessages ?? 0
      },
      // creates few promises: it runs for each event
      handle: message => {
        delivering.waiting++
        delivering.count++
        const handling =
          mayDeliver?.then(async () => delivery.current.handle(message)) ?? delivery.current.handle(message)
        return handling.then(handled => (delivering.waiting--, handled))
      },
      onMuchWaiting: (count, bytes) =>
        log.warn(
          'events-wait',
          `"${group}" has not taken ${count} events of topic ${subscription.topic} (${subscription.pubsubName}): they take ${Math.round(bytes / 2 ** 20)} MiB of memory`
        ),
      log: (level, text) => log.write(level, text)
    })
    return Object.assign(topic, {reader})
  }
}

/** Delivers the events of a topic one by one or in batches, as the subscription says now: a save of its file may change that. */
class TopicDelivery {
  readonly #options: EventDeliveryOptions
  readonly #single: EventDelivery
  #batches: BulkDelivery | undefined

  constructor(options: EventDeliveryOptions) {
    this.#options = options
    this.#single = new EventDelivery(options)
  }

  handle(message: BrokerMessage): Promise<Handled> {
    const {channel, subscription, signal} = this.#options
    const settings = subscription().bulk
    if (settings === undefined) return this.#single.handle(message)
    this.#batches ??= new BulkDelivery(this.#single, channel, settings, signal)
    // events that wait already keep the time limit of the old settings
    if (this.#batches.settings !== settings) this.#batches.flush()
    this.#batches.settings = settings
    return this.#batches.handle(message)
  }
}
