import type {ConfirmChannel, Options} from 'amqplib'
import {parseGoDuration} from '../../../model/go-duration.ts'
import {textNamed} from '../component-values.ts'
import type {BrokerMessage} from '../pubsub.ts'
import type {RabbitSettings} from './rabbitmq-settings.ts'

interface Publication {
  readonly topic: string
  readonly key: string
  readonly data: Buffer
  readonly options: Options.Publish
}

const CLOSED = new Error('the channel to RabbitMQ is closed')

/** Publishes messages over one channel. A closed channel stays closed: `RabbitBroker` opens another one. */
export class Publisher {
  readonly #channel: ConfirmChannel
  readonly #declare: (topic: string) => Promise<unknown>
  readonly #exchanges = new Map<string, Promise<unknown>>()
  #whyClosed: Error | undefined

  /** `declare`: creates the exchange of a topic, over another channel. */
  constructor(channel: ConfirmChannel, declare: (topic: string) => Promise<unknown>) {
    this.#channel = channel
    this.#declare = declare
    channel.on('error', error => (this.#whyClosed = error))
    channel.on('close', () => (this.#whyClosed ??= CLOSED))
  }

  get isClosed(): boolean {
    return this.#whyClosed !== undefined
  }

  async publish({topic, key, data, options}: Publication): Promise<undefined> {
    let declared = this.#exchanges.get(topic)
    if (declared === undefined) {
      declared = this.#declare(topic)
      this.#exchanges.set(topic, declared)
      declared.catch(() => this.#exchanges.delete(topic))
    }
    await declared
    return new Promise((resolve, reject) => {
      this.#channel.publish(topic, key, data, options, error => {
        if (error === null || error === undefined) resolve(undefined)
        // the reason was in an event before
        else if (error instanceof Error && error.message === 'channel closed') reject(this.#whyClosed ?? CLOSED)
        else reject(new Error('did not receive confirmation of publishing'))
      })
    })
  }
}

/** Creates the exchange of a topic, unless it exists. */
export const declareTopic = async (
  channel: Pick<ConfirmChannel, 'assertExchange'>,
  topic: string,
  {exchangeKind, durable, deletedWhenUnused}: RabbitSettings
): Promise<unknown> => channel.assertExchange(topic, exchangeKind, {durable, autoDelete: deletedWhenUnused})

/** Returns the properties of a message (components-contrib: common/component/rabbitmq). */
export function publishOptions(
  metadata: BrokerMessage['metadata'],
  {deliveryMode, ttlMs}: RabbitSettings
): Options.Publish {
  const lifeMs = lifeOf(metadata) ?? ttlMs
  const priority = textNamed(metadata, 'priority')
  const [contentType, messageId, correlationId, type] = ['contentType', 'messageID', 'correlationID', 'type'].map(
    name => textNamed(metadata, name)
  )
  return {
    contentType: contentType || 'text/plain',
    // 0, Dapr's default, means not persistent, as 1 does at the broker
    deliveryMode: deliveryMode || 1,
    ...(lifeMs !== undefined && {expiration: Math.trunc(lifeMs).toString()}),
    ...(/^\d+$/.test(priority) && {priority: Math.min(Number(priority), 255)}),
    ...(messageId !== '' && {messageId}),
    ...(correlationId !== '' && {correlationId}),
    ...(type !== '' && {type})
  }
}

/** Returns the time to live of a message in ms; undefined: none, or unreadable. A bare number counts seconds. */
function lifeOf(metadata: BrokerMessage['metadata']): number | undefined {
  const text = textNamed(metadata, 'ttl') || textNamed(metadata, 'ttlInSeconds')
  const parsed = parseGoDuration(text)
  const ms = typeof parsed === 'number' ? parsed * (/^\d+$/.test(text) ? 1000 : 1) : 0
  return ms > 0 ? ms : undefined
}
