import type {OpenComponent} from '../component.ts'
import {connectFailure} from '../properties.ts'
import type {PubSub, BrokerMessage, SubscribeOptions, TopicReader} from '../pubsub.ts'
import {
  rabbitAddress,
  addressProperty,
  PREFIX,
  rabbitSettings,
  type RabbitAddress,
  type RabbitSettings
} from './rabbitmq-settings.ts'
import {connect, credentials, type Channel, type RecoveringChannelModel} from 'amqplib'
import {SerialQueue} from '../../../model/serial-queue.ts'
import {pause, within} from '../../../platform/delay.ts'
import {textNamed} from '../component-values.ts'
import {declareTopic, Publisher, publishOptions} from './rabbitmq-publisher.ts'
import {closeChannel, openQueue, RabbitReader} from './rabbitmq-reader.ts'

const MAX_TRIES = 3
/** Minimum time that opening a channel may take, in ms. */
const ANSWER_MS = 1000
/** How long readers continue after the component was closed, in ms. */
const LEAVE_MS = 5000

/** The error of a message that was not published, and whether its channel has closed. */
type Failure = {readonly error: unknown; readonly isClosed: boolean}

/** A connection to RabbitMQ. The library opens a lost connection again; publishers and readers open new channels. */
export class RabbitBroker implements PubSub {
  readonly capabilities = ['MESSAGE_TTL']
  readonly forgetsUnread: boolean
  readonly #connection: RecoveringChannelModel
  readonly #settings: RabbitSettings
  readonly #readers = new Set<RabbitReader>()
  readonly #closing = new AbortController()
  #publisher: Promise<Publisher> | undefined
  /** Creates topics one after the other, since each needs a channel. */
  readonly #declares = new SerialQueue()
  readonly #repeats = new SerialQueue()

  private constructor(connection: RecoveringChannelModel, settings: RabbitSettings) {
    this.#connection = connection
    this.#settings = settings
    this.forgetsUnread = settings.deletedWhenUnused
  }

  /** Rejects if the broker cannot be reached now. */
  static async open(
    address: RabbitAddress,
    settings: RabbitSettings,
    warn: (text: string) => void
  ): Promise<RabbitBroker> {
    const {url, clientName, isExternal, tls} = address
    const {reconnectWaitMs: wait} = settings
    const connection = await connect(url, {
      ...tls,
      noDelay: true,
      ...(clientName !== '' && {clientProperties: {connection_name: clientName}}),
      ...(isExternal && {credentials: credentials.external()}),
      recovery: {initialDelay: wait, maxDelay: wait, factor: 1, jitter: 0, initialMaxRetries: 0}
    })
    // 'disconnect' reports the same
    connection.on('error', () => undefined)
    connection.on('disconnect', error => warn(`the connection to RabbitMQ is lost: ${error.message}`))
    return new RabbitBroker(connection, settings)
  }

  /** Whether failed messages are kept: they are requeued, or go to a dead letter queue. */
  get keepsFailed(): boolean {
    const {autoAck, requeueInFailure, enableDeadLetter} = this.#settings
    return !autoAck && (requeueInFailure || enableDeadLetter)
  }

  /** Resolves when the broker has confirmed the message. Repeats the message if its channel or the connection is lost. */
  async publish(topic: string, {data, metadata}: BrokerMessage): Promise<void> {
    const options = publishOptions(metadata, this.#settings)
    const publication = {topic, key: textNamed(metadata, 'routingKey'), data, options}
    const attempt = async (): Promise<Failure | undefined> => this.#publish(publication)
    let failure = await attempt()
    for (let tries = 2; failure !== undefined; tries++) {
      if (tries > MAX_TRIES || this.#closing.signal.aborted) throw failure.error
      // without a pause before the second try: an exchange that was deleted as unused is created again at once
      if (tries > 2) await pause(this.#settings.reconnectWaitMs, this.#closing.signal)
      failure = await (failure.isClosed ? this.#repeat(attempt) : attempt())
    }
  }

  /** Repeats a message on a new channel. The broker closes the channel of a refused message, so that messages are repeated one by one. */
  async #repeat(attempt: () => Promise<Failure | undefined>): Promise<Failure | undefined> {
    for (;;) {
      const opening = (this.#publisher ??= this.#newPublisher())
      await opening
      const done = await this.#repeats.run(async () => this.#publisher === opening && {failure: await attempt()})
      if (done !== false) return done.failure
    }
  }

  async #publish(publication: Parameters<Publisher['publish']>[0]): Promise<Failure | undefined> {
    const opening = (this.#publisher ??= this.#newPublisher())
    const publisher = await opening
    try {
      return await publisher.publish(publication)
    } catch (error) {
      // the channel stays open after an unconfirmed message; another publish may have opened the next channel
      if (this.#publisher === opening && publisher.isClosed) this.#publisher = undefined
      return {error, isClosed: publisher.isClosed}
    }
  }

  async subscribe(options: SubscribeOptions): Promise<TopicReader> {
    const channel = await this.#inTime(openQueue(this.#connection, this.#settings, options))
    const reader = new RabbitReader(this.#connection, channel, {settings: this.#settings, options})
    this.#readers.add(reader)
    return {begun: reader.begun.promise, stop: async () => this.#stop(reader)}
  }

  /** Closes after a moment, until which readers continue: a queue that has no reader before their successors read is deleted. */
  async close(): Promise<void> {
    this.#closing.abort()
    if (this.#readers.size === 0) return this.#connection.close()
    void pause(LEAVE_MS).then(async () => Promise.all([...this.#readers].map(async each => this.#stop(each))))
  }

  async #stop(reader: RabbitReader): Promise<void> {
    await reader.stop()
    this.#readers.delete(reader)
    if (this.#closing.signal.aborted && this.#readers.size === 0) void this.#connection.close()
  }

  async #newPublisher(): Promise<Publisher> {
    try {
      const channel = await this.#inTime(this.#connection.createConfirmChannel())
      return new Publisher(channel, async topic => this.#declares.run(async () => this.#declare(topic)))
    } catch (error) {
      this.#publisher = undefined
      throw error
    }
  }

  /** Creates the exchange of a topic on a channel of its own: a broker that refuses this closes the channel. */
  async #declare(topic: string): Promise<void> {
    const channel = await this.#inTime(this.#connection.createChannel())
    channel.on('error', () => undefined)
    try {
      await declareTopic(channel, topic, this.#settings)
    } finally {
      await closeChannel(channel)
    }
  }

  /** Waits for a channel to open, for a limited time: without a broker, the library waits forever. */
  async #inTime<T extends Pick<Channel, 'close'>>(opening: Promise<T>): Promise<T> {
    const channel = await within(Math.max(MAX_TRIES * this.#settings.reconnectWaitMs, ANSWER_MS), opening)
    if (channel !== undefined) return channel
    void opening.then(async late => late.close()).catch(() => undefined)
    throw new Error('RabbitMQ does not answer')
  }
}

/** `pubsub.rabbitmq`: a topic is an exchange, a consumer group a queue bound to it (components-contrib: pubsub/rabbitmq). */
export const open: OpenComponent<PubSub> = async ({properties, warn}) => {
  const settings = rabbitSettings(properties)
  const address = rabbitAddress(properties)
  return RabbitBroker.open(address, settings, warn).catch((error: unknown) => {
    const {host} = new URL(address.url)
    const why = `${PREFIX} cannot connect to ${host}: ${connectFailure(error)}`
    return properties.fault(addressProperty(properties), why)
  })
}
