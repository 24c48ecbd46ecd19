import {isDeepStrictEqual} from 'node:util'
import {setMaxListeners} from 'node:events'
import type {AppComponent} from '../../components/app-components.ts'
import type {TopicReader} from '../../components/pubsub.ts'
import type {TopicBacklog} from '../../../model/activity.ts'
import {messageOf} from '../../../model/errors.ts'
import {within} from '../../../platform/delay.ts'
import type {LogLevel} from '../../../model/plan.ts'
import {SerialQueue} from '../../../model/serial-queue.ts'
import type {TopicSubscription} from '../../../files/resources/subscriptions.ts'
import {daprError} from './block-error.ts'
import {BulkDelivery} from './bulk-delivery.ts'
import type {EventChannel} from './event-channel.ts'
import {EventDelivery} from './event-delivery.ts'
import {AllFollowed, stopFollowed, type Followed} from './followed.ts'
import {pubsubNotFound} from './publishing.ts'
import {isTopicAllowed} from './topic-scopes.ts'

/** A subscription whose messages are read. */
interface Active extends Followed {
  /** The subscription, whose routes may change while it is read. */
  subscription: TopicSubscription
  readonly broker: AppComponent<'pubsub'>
  readonly reader: TopicReader
  /** Messages that are being delivered, retries included, and how many ever were. */
  readonly delivering: {waiting: number; count: number}
}

/** A subscription over a stream, which has its own channel for events. */
interface Streamed {
  readonly channel: EventChannel
  active: Active
  /** Called with the reason when it cannot continue. */
  readonly gone: (why: string) => void
  /** Queue of its moves to another broker. A move waits for its client without delaying anything else. */
  readonly moves: SerialQueue
}

/** Arguments of reading a topic; `free` settles when its events may be delivered. */
type Read = [TopicSubscription, broker: AppComponent<'pubsub'>, channel: EventChannel, free?: Promise<void>]

/** Maximum time in ms for a successor to begin before the earlier reader is stopped. */
const BEGIN_MS = 2000

/** Whether two subscriptions differ at most in their routes. */
const isReadAlike = (a: TopicSubscription, b: TopicSubscription): boolean =>
  isDeepStrictEqual([a.bulk, a.metadata], [b.bulk, b.metadata])

/** Whether a subscription that is read from one component can go on with another. */
const isSameBroker = (a: AppComponent<'pubsub'> | undefined, b: AppComponent<'pubsub'> | undefined): boolean =>
  a?.component === b?.component && a?.topicPrefix === b?.topicPrefix

/** The subscriptions of one app: reads their topics, and delivers their events (Dapr: pkg/runtime/processor/subscriber). */
export class Subscriptions extends AllFollowed<TopicSubscription, Active> {
  readonly #streamed = new Set<Streamed>()

  /**
   * Reads exactly these topics from now on. A topic that is already read continues with its new routes: no message is
   * lost. Errors of one topic are logged and do not affect the others.
   */
  async follow(wanted: readonly TopicSubscription[], channel: EventChannel): Promise<void> {
    await this.followAll(wanted, async (each, failures) => this.#begin(each, channel, failures))
  }

  protected override begun(all: readonly TopicSubscription[]): void {
    for (const [name, some] of Map.groupBy(all, ({pubsubName}) => pubsubName)) {
      const topics = some.map(({topic}) => topic).join(' ')
      this.context.log.write('info', `app is subscribed to the following topics: [${topics}] through pubsub=${name}`)
    }
  }

  /**
   * Reads a topic until it is stopped, apart from other readers. Rejects with a BlockError. `gone`: called if it cannot continue after a
   * change of its component.
   */
  async open(subscription: TopicSubscription, channel: EventChannel, gone: Streamed['gone']): Promise<TopicReader> {
    const {pubsubName, topic} = subscription
    const {log, appId} = this.context
    const missing = pubsubNotFound(pubsubName, {})
    const broker = await this.context.component('pubsub', pubsubName, {none: missing, unknown: missing})
    const refused = daprError([500, 'unknown', ''], `failed to create subscription for ${pubsubName}: `)
    if (!isTopicAllowed(broker.properties, 'subscriptionScopes', {appId, topic}))
      throw refused(`subscription to topic '${topic}' on pubsub '${pubsubName}' is not allowed`)
    const active = await this.#read(subscription, broker, channel).catch((error: unknown) => {
      throw refused(messageOf(error))
    })
    const streamed: Streamed = {channel, gone, active, moves: new SerialQueue()}
    this.#streamed.add(streamed)
    // the component may have been opened again meanwhile
    void streamed.moves.run(async () => this.#renew(streamed))
    log.write('info', `Subscribing to pubsub '${pubsubName}' topic '${topic}'`)
    return {
      stop: async () => {
        this.#streamed.delete(streamed)
        await stopFollowed(streamed.active)
      }
    }
  }

  get streamed(): readonly TopicSubscription[] {
    return [...this.#streamed].map(({active}) => active.subscription)
  }

  /** The messages that wait for the app or are being delivered to it. */
  get backlogs(): readonly Omit<TopicBacklog, 'app' | 'type'>[] {
    const all = [...this.active.values(), ...[...this.#streamed].map(({active}) => active)]
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

  /** Moves streams to reopened components. */
  async renew(): Promise<void> {
    await Promise.all([...this.#streamed].map(async each => each.moves.run(async () => this.#renew(each))))
  }

  async #renew(streamed: Streamed): Promise<void> {
    const {active, channel, gone} = streamed
    const {subscription} = active
    try {
      const broker = await this.#broker(subscription)
      if (isSameBroker(broker, active.broker)) return
      const next = broker && (await this.#besides(active, subscription, broker, channel))
      if (next === undefined) await stopFollowed(active)
      if (broker === undefined) return gone('stream closed')
      if (next === undefined && !this.#streamed.has(streamed)) return
      streamed.active = next ?? (await this.#read(subscription, broker, channel))
      if (!this.#streamed.has(streamed)) await stopFollowed(streamed.active)
    } catch (error) {
      gone(messageOf(error))
    }
  }

  protected keyOf({pubsubName, topic}: TopicSubscription): string {
    return JSON.stringify([pubsubName, topic])
  }

  async #begin(subscription: TopicSubscription, channel: EventChannel, level: LogLevel): Promise<boolean | undefined> {
    const {log} = this.context
    const key = this.keyOf(subscription)
    const {pubsubName, topic} = subscription
    try {
      const broker = await this.#broker(subscription)
      const current = this.active.get(key)
      if (broker !== undefined && current !== undefined && isSameBroker(current.broker, broker)) {
        const isSame = broker.component.followsSettings === true || isReadAlike(current.subscription, subscription)
        current.subscription = subscription
        if (isSame) return false
      }
      const next = broker && (await this.#besides(current, subscription, broker, channel))
      if (next === undefined) await this.stop(key)
      if (broker === undefined || (next === undefined && !this.isWanted(subscription))) return false
      this.active.set(key, next ?? (await this.#read(subscription, broker, channel)))
      return true
    } catch (error) {
      log.write(level, `failed to subscribe to topic ${topic} of pubsub ${pubsubName}: ${messageOf(error)}`)
      return undefined
    }
  }

  /** Returns the component of a subscription. Undefined without one, or if the app must not subscribe. */
  async #broker(subscription: TopicSubscription): Promise<AppComponent<'pubsub'> | undefined> {
    const {pubsubName, topic} = subscription
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

  /** Begins before `before` is stopped, if waiting events would be lost without a reader; undefined: it is read after it. */
  async #besides(before: Active | undefined, ...[subscription, broker, channel]: Read): Promise<Active | undefined> {
    if (before === undefined || broker.component.forgetsUnread !== true) return undefined
    const left = Promise.withResolvers<void>()
    const next = await this.#read(subscription, broker, channel, left.promise).catch(() => undefined)
    // the successor may not begin while the app accepts no events
    await within(BEGIN_MS, next?.reader.begun ?? Promise.resolve())
    if (next !== undefined) await stopFollowed(before).finally(left.resolve)
    return next
  }

  async #read(...[subscription, broker, channel, free]: Read): Promise<Active> {
    const {appId: group, log} = this.context
    const over = new AbortController()
    setMaxListeners(0, over.signal)
    const delivering = {waiting: 0, count: 0}
    const active: Omit<Active, 'reader'> & {reader?: TopicReader} = {subscription, broker, over, delivering}
    let batches: BulkDelivery | undefined
    /** Aborted when waiting events are wanted back. */
    let taken = new AbortController()
    let ended = over.signal
    const begin = (): EventDelivery => {
      taken = new AbortController()
      ended = AbortSignal.any([over.signal, taken.signal])
      // each held event adds a listener
      setMaxListeners(0, ended)
      batches = undefined
      return new EventDelivery({
        context: this.context,
        channel,
        broker,
        subscription: () => active.subscription,
        over: ended
      })
    }
    let delivery = begin()
    // a save may change whether and how events are delivered in batches
    const handlerNow = (): EventDelivery | BulkDelivery => {
      const settings = active.subscription.bulk
      if (settings === undefined) return delivery
      batches ??= new BulkDelivery(delivery, channel, settings, ended)
      if (batches.settings !== settings) batches.flush() // events that wait already keep the time limit of the old settings
      batches.settings = settings
      return batches
    }
    const reader = await broker.component.subscribe({
      topic: broker.topicPrefix + subscription.topic,
      group,
      metadata: subscription.metadata,
      ready: async () => channel.mayRead(over.signal),
      takeBack: () => {
        taken.abort()
        delivery = begin()
      },
      get atOnce() {
        return active.subscription.bulk?.maxMessages ?? 0
      },
      // creates few promises: it runs for each event
      handle: message => {
        delivering.waiting++
        delivering.count++
        const handling = free?.then(async () => handlerNow().handle(message)) ?? handlerNow().handle(message)
        return handling.then(handled => (delivering.waiting--, handled))
      },
      onMuchWaiting: (count, bytes) =>
        log.warn(
          'events-wait',
          `"${this.context.appId}" has not taken ${count} events of topic ${subscription.topic} (${subscription.pubsubName}): they take ${Math.round(bytes / 2 ** 20)} MiB of memory`
        ),
      log: (level, text) => log.write(level, text)
    })
    return Object.assign(active, {reader})
  }
}
