import {connect, credentials, type RecoveringChannelModel} from 'amqplib'
import {pause, within} from '../../../platform/delay.ts'
import {textNamed} from '../component-values.ts'
import type {BrokerMessage, PubSub, SubscribeOptions, TopicReader} from '../pubsub.ts'
import {Publisher, publishOptions} from './rabbitmq-publisher.ts'
import {RabbitReader} from './rabbitmq-reader.ts'
import type {RabbitAddress, RabbitSettings} from './rabbitmq-settings.ts'

const MAX_TRIES = 3
/** A broker that is there has this long to open a channel, however short the pauses between attempts are. */
const ANSWER_MS = 1000

/** A connection to RabbitMQ, which is opened again when it is lost, with all its readers. */
export class RabbitBroker implements PubSub {
  readonly capabilities = ['MESSAGE_TTL']
  readonly #connection: RecoveringChannelModel
  readonly #settings: RabbitSettings
  readonly #readers = new Set<RabbitReader>()
  readonly #over = new AbortController()
  #publisher: Promise<Publisher> | undefined

  private constructor(connection: RecoveringChannelModel, settings: RabbitSettings) {
    this.#connection = connection
    this.#settings = settings
  }

  /** Fails if the broker cannot be reached now. */
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
    // 'disconnect' reports its end
    connection.on('error', () => undefined)
    connection.on('disconnect', error => warn(`the connection to RabbitMQ is lost: ${error.message}`))
    return new RabbitBroker(connection, settings)
  }

  /** Whether failed messages are kept: they are requeued, or go to a dead letter queue. */
  get keepsFailed(): boolean {
    const {autoAck, requeueInFailure, enableDeadLetter} = this.#settings
    return !autoAck && (requeueInFailure || enableDeadLetter)
  }

  /** Settles when the broker has confirmed the message; tries again where it goes away meanwhile. */
  async publish(topic: string, {data, metadata}: BrokerMessage): Promise<void> {
    const options = publishOptions(metadata, this.#settings)
    const key = textNamed(metadata, 'routingKey')
    for (let tries = 1; ; tries++) {
      const opening = (this.#publisher ??= this.#newPublisher())
      const publisher = await opening
      try {
        await publisher.publish({topic, key, data, options})
        return
      } catch (error) {
        // another publish that has failed may have opened the next one
        if (this.#publisher === opening) this.#publisher = undefined
        if (tries === MAX_TRIES || this.#over.signal.aborted) throw error
        // an exchange without use is gone: it is created again at once
        if (tries > 1) await pause(this.#settings.reconnectWaitMs, this.#over.signal)
      }
    }
  }

  async subscribe(options: SubscribeOptions): Promise<TopicReader> {
    const reader = await RabbitReader.open(this.#connection, this.#settings, options)
    this.#readers.add(reader)
    return {
      stop: async () => {
        await reader.stop()
        this.#readers.delete(reader)
      }
    }
  }

  /** Closes without waiting for what is being handled, which may still be acknowledged. */
  async close(): Promise<void> {
    this.#over.abort()
    const ends = [...this.#readers].map(async reader => reader.stop())
    if (ends.length === 0) return this.#connection.close()
    void Promise.allSettled(ends).then(async () => this.#connection.close())
  }

  async #newPublisher(): Promise<Publisher> {
    const waitMs = Math.max(MAX_TRIES * this.#settings.reconnectWaitMs, ANSWER_MS)
    const opening = this.#connection.createConfirmChannel()
    try {
      const channel = await within(waitMs, opening)
      if (channel === undefined) throw new Error('RabbitMQ does not answer')
      return new Publisher(channel, this.#settings)
    } catch (error) {
      this.#publisher = undefined
      void opening.then(async channel => channel.close()).catch(() => undefined)
      throw error
    }
  }
}
