import {isDeepStrictEqual} from 'node:util'
import type {TopicReader} from '../../components/pubsub.ts'
import type {TopicBacklog} from '../../../model/activity.ts'
import {messageOf} from '../../../model/errors.ts'
import type {LogLevel} from '../../../model/plan.ts'
import {SerialQueue} from '../../../model/serial-queue.ts'
import type {TopicSubscription} from '../../../files/resources/subscriptions.ts'
import {toldWhy} from './block-error.ts'
import type {EventChannel} from './event-channel.ts'
import {AllFollowed, stopFollowed} from './followed.ts'
import {pubsubNotFound} from './publishing.ts'
import {isTopicAllowed} from './topic-scopes.ts'
import {TopicReading, type TopicBroker} from './topic-reading.ts'

/** A subscription over a stream, which has its own channel for events. */
interface Streamed {
  readonly channel: EventChannel
  active: TopicReading
  /** Called with the reason when it cannot continue. */
  readonly gone: (why: string) => void
  /** Queue of its moves to another broker. A move waits for its client without delaying anything else. */
  readonly moves: SerialQueue
}

/** Whether two subscriptions differ at most in their routes. */
const isReadAlike = (a: TopicSubscription, b: TopicSubscription): boolean =>
  isDeepStrictEqual([a.bulk, a.metadata], [b.bulk, b.metadata])

/** Whether a subscription that is read from one component can go on with another. */
const isSameBroker = (a: TopicBroker | undefined, b: TopicBroker | undefined): boolean =>
  a?.component === b?.component && a?.topicPrefix === b?.topicPrefix

/** The subscriptions of one app: reads their topics, and delivers their events (Dapr: pkg/runtime/processor/subscriber). */
export class Subscriptions extends AllFollowed<TopicSubscription, TopicReading> {
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
    const refused = toldWhy([500, 'unknown', ''], `failed to create subscription for ${pubsubName}: `)
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
    return all.map(({backlog}) => backlog)
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
      await stopFollowed(active)
      if (broker === undefined) return gone('stream closed')
      if (!this.#streamed.has(streamed)) return
      streamed.active = await this.#read(subscription, broker, channel)
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
      await this.stop(key)
      if (broker === undefined || !this.isWanted(subscription)) return false
      this.active.set(key, await this.#read(subscription, broker, channel))
      return true
    } catch (error) {
      log.write(level, `failed to subscribe to topic ${topic} of pubsub ${pubsubName}: ${messageOf(error)}`)
      return undefined
    }
  }

  /** Returns the component of a subscription. Undefined without one, or if the app must not subscribe. */
  async #broker(subscription: TopicSubscription): Promise<TopicBroker | undefined> {
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

  async #read(subscription: TopicSubscription, broker: TopicBroker, channel: EventChannel): Promise<TopicReading> {
    return new TopicReading(subscription, broker, channel, this.context).begin()
  }
}
