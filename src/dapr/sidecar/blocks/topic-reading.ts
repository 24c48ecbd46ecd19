import {setMaxListeners} from 'node:events'
import type {AppComponent} from '../../components/app-components.ts'
import type {BrokerMessage, Handled, TopicReader} from '../../components/pubsub.ts'
import type {TopicBacklog} from '../../../model/activity.ts'
import type {TopicSubscription} from '../../../files/resources/subscriptions.ts'
import type {BlockContext} from './block-context.ts'
import {BulkDelivery} from './bulk-delivery.ts'
import type {EventChannel} from './event-channel.ts'
import {EventDelivery} from './event-delivery.ts'
import type {Followed} from './followed.ts'

export type TopicBroker = AppComponent<'pubsub'>

/** A delivery of events, which ends when the messages that wait for the app are taken back. */
interface Delivery {
  readonly single: EventDelivery
  readonly taken: AbortController
  readonly ended: AbortSignal
}

/** A topic that is read for an app. Its messages go to the app one by one, or in batches. */
export class TopicReading implements Followed {
  readonly over = new AbortController()
  readonly broker: TopicBroker
  /** The subscription, whose routes and batches may change while it is read. */
  subscription: TopicSubscription
  reader: TopicReader = {stop: async () => undefined}
  readonly #context: BlockContext
  readonly #channel: EventChannel
  #delivery: Delivery
  #batches: BulkDelivery | undefined
  /** Number of messages that are being delivered, retries included. */
  #waiting = 0
  #count = 0

  constructor(subscription: TopicSubscription, broker: TopicBroker, channel: EventChannel, context: BlockContext) {
    this.subscription = subscription
    this.broker = broker
    this.#context = context
    this.#channel = channel
    setMaxListeners(0, this.over.signal)
    this.#delivery = this.#newDelivery()
  }

  /** The messages that wait for the app or are being delivered to it. */
  get backlog(): Omit<TopicBacklog, 'app' | 'type'> {
    const {reader, subscription} = this
    return {
      pubsubName: subscription.pubsubName,
      topic: subscription.topic,
      isSeen: reader.backlog !== undefined,
      manyWaiting: reader.manyWaiting ?? 0,
      read: async () => {
        const {waiting, count} = (await reader.backlog?.()) ?? {waiting: 0, count: 0}
        return {waiting: Math.max(waiting, this.#waiting), count: count + this.#count}
      }
    }
  }

  /** Begins to read. Rejects if the broker cannot. */
  async begin(): Promise<this> {
    const {appId, log} = this.#context
    const {topic, pubsubName, metadata} = this.subscription
    const maxMessages = (): number => this.subscription.bulk?.maxMessages ?? 0
    this.reader = await this.broker.component.subscribe({
      topic: this.broker.topicPrefix + topic,
      group: appId,
      metadata,
      ready: async () => this.#channel.mayRead(this.over.signal),
      takeBack: () => {
        this.#delivery.taken.abort()
        this.#delivery = this.#newDelivery()
      },
      get atOnce() {
        return maxMessages()
      },
      handle: message => this.#handle(message),
      onMuchWaiting: (count, bytes) =>
        log.warn(
          'events-wait',
          `"${appId}" has not taken ${count} events of topic ${topic} (${pubsubName}): they take ${Math.round(bytes / 2 ** 20)} MiB of memory`
        ),
      log: (level, text) => log.write(level, text)
    })
    return this
  }

  // creates few promises: it runs for each event
  #handle(message: BrokerMessage): Promise<Handled> {
    this.#waiting++
    this.#count++
    return this.#handlerNow()
      .handle(message)
      .then(handled => (this.#waiting--, handled))
  }

  /** Returns the delivery of single messages or of batches: a save may change that. */
  #handlerNow(): EventDelivery | BulkDelivery {
    const {single, ended} = this.#delivery
    const settings = this.subscription.bulk
    if (settings === undefined) return single
    this.#batches ??= new BulkDelivery(single, this.#channel, settings, ended)
    // events that wait already keep the time limit of the old settings
    if (this.#batches.settings !== settings) this.#batches.flush()
    this.#batches.settings = settings
    return this.#batches
  }

  #newDelivery(): Delivery {
    const taken = new AbortController()
    const ended = AbortSignal.any([this.over.signal, taken.signal])
    // each held event adds a listener
    setMaxListeners(0, ended)
    this.#batches = undefined
    const single = new EventDelivery({
      context: this.#context,
      channel: this.#channel,
      broker: this.broker,
      subscription: () => this.subscription,
      over: ended
    })
    return {single, taken, ended}
  }
}
