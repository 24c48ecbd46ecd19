import type {Channel, ConsumeMessage, RecoveringChannelModel} from 'amqplib'
import {messageOf} from '../../../model/errors.ts'
import {isWithin, orAborted, pause} from '../../../platform/delay.ts'
import {textNamed} from '../component-values.ts'
import {AWAY_MS, isAway, type BrokerMessage, type SubscribeOptions} from '../pubsub.ts'
import type {RabbitSettings} from './rabbitmq-settings.ts'
import {declareTopic} from './rabbitmq-publisher.ts'
import {NextChange} from '../../../model/next-change.ts'

/** Default number of messages that the broker sends ahead. The others wait at the broker. */
const MAX_WAITING = 256
/** Pause before an unhandled message is returned, in ms, since the broker delivers it again at once. */
const RETURN_MS = 1000
/** Maximum time that a reader waits for its app before it consumes, in ms: a queue without a consumer may be deleted. */
const SOON_MS = 500
const QUEUE_TYPES = ['classic', 'quorum']

/** A consumer of the queue. `isSpare`: used while the app does not accept messages. `isAway`: ended for this reason; its messages are returned. */
interface Consumer {
  readonly tag: string
  readonly isSpare: boolean
  isAway: boolean
}

/** Reads the queue of one subscription over a channel of its own. Replaces a closed channel. */
export class RabbitReader {
  readonly #connection: RecoveringChannelModel
  readonly #settings: RabbitSettings
  readonly #options: SubscribeOptions
  readonly #stopping = new AbortController()
  readonly #loop: Promise<void>
  /** Resolves once the reader receives messages. */
  readonly begun = Promise.withResolvers<void>()
  #atWork = 0
  readonly #changed = new NextChange()
  /** The open channel; undefined: none. Messages of an earlier channel are not answered, since the broker delivers them again. */
  #channel: Channel | undefined
  /** Resolves when the previous message is handled, for settings that handle one at a time. */
  #turn: Promise<void> = Promise.resolve()

  /** `channel`: the channel by which `openQueue` has created the queue. */
  constructor(
    connection: RecoveringChannelModel,
    channel: Channel,
    {settings, options}: {settings: RabbitSettings; options: SubscribeOptions}
  ) {
    this.#connection = connection
    this.#settings = settings
    this.#options = options
    this.#loop = this.#read(channel)
  }

  /** Stops reading. Resolves when running deliveries have ended, and the broker has the answers. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  async #read(first: Channel): Promise<void> {
    const {signal} = this.#stopping
    const {topic, log} = this.#options
    let opening: Promise<Channel> | undefined = Promise.resolve(first)
    while (!signal.aborted) {
      try {
        opening ??= openQueue(this.#connection, this.#settings, this.#options)
        const channel = await orAborted(signal, opening)
        if (channel !== undefined) await this.#consume(channel)
        else void opening.then(closeChannel).catch(() => undefined)
      } catch (error) {
        log('error', `error in subscriber for ${topic}: ${messageOf(error)}`)
      }
      opening = undefined
      if (!signal.aborted) await pause(this.#settings.reconnectWaitMs, signal)
    }
  }

  /** Consumes until the channel closes or reading ends. While the app is away, a spare consumer takes one message that no other consumer wants. */
  async #consume(channel: Channel): Promise<void> {
    const {signal} = this.#stopping
    const {autoAck, deletedWhenUnused} = this.#settings
    const closed = whyClosed(channel)
    const lost = new AbortController()
    this.#channel = channel
    void closed.then(() => (this.#channel = undefined)).then(() => lost.abort())
    const ended = AbortSignal.any([signal, lost.signal])
    const ready = orAborted(ended, this.#options.ready())
    const isLate = deletedWhenUnused && !(await isWithin(SOON_MS, ready))
    if (!isLate) await ready
    let consumer: Consumer | undefined
    for (let isSpare = isLate; !ended.aborted; isSpare = !isSpare) {
      const before = consumer
      // before the previous one ends: the broker may delete a queue without a consumer
      consumer = await this.#begin(channel, isSpare)
      this.begun.resolve()
      if (before !== undefined) await channel.cancel(before.tag)
      if (before !== undefined && isSpare && !autoAck) {
        before.isAway = true
        this.#options.takeBack?.()
      }
      await (isSpare ? orAborted(ended, this.#options.ready()) : isAway(this.#options, ended))
    }
    if (!signal.aborted) throw await closed
    if (consumer !== undefined) await channel.cancel(consumer.tag).catch(() => undefined)
    while (this.#atWork > 0) await this.#changed.promise
    await closeChannel(channel)
  }

  /** Begins to consume. `isSpare`: receives one message at a time, and only if no other consumer can have it. */
  async #begin(channel: Channel, isSpare: boolean): Promise<Consumer> {
    const {autoAck, prefetchCount} = this.#settings
    const consumer = {tag: '', isSpare, isAway: false}
    await channel.prefetch(isSpare ? 1 : prefetchCount || Math.max(MAX_WAITING, this.#options.atOnce))
    const take = (message: ConsumeMessage | null): void => {
      // the broker has cancelled the consumer: its queue is gone
      if (message === null) void channel.close().catch(() => undefined)
      else void this.#take(channel, message, consumer)
    }
    const how = {noAck: autoAck && !isSpare, ...(isSpare && {priority: -1})}
    const {consumerTag: tag} = await channel.consume(queueOf(this.#options, this.#settings), take, how)
    return Object.assign(consumer, {tag})
  }

  async #take(channel: Channel, message: ConsumeMessage, consumer: Consumer): Promise<void> {
    this.#atWork++
    const handle = async (): Promise<void> => this.#handle(channel, message, consumer)
    const done = this.#settings.isSingle ? (this.#turn = this.#turn.then(handle)) : handle()
    await done
    this.#atWork--
    this.#changed.happened()
  }

  async #handle(channel: Channel, message: ConsumeMessage, consumer: Consumer): Promise<void> {
    const {autoAck, requeueInFailure, hasMessageProperties} = this.#settings
    const {signal} = this.#stopping
    const {isSpare} = consumer
    const noAck = autoAck && !isSpare
    // returns the message of a spare consumer after a while: another consumer may exist now, and the broker closes slow channels
    const isLate = isSpare && !(await isWithin(AWAY_MS, orAborted(signal, this.#options.ready())))
    if (this.#channel !== channel && !noAck) return
    const metadata = hasMessageProperties ? propertiesOf(message) : {}
    const isReturned = isLate || signal.aborted || consumer.isAway
    const handled = isReturned ? 'returned' : await this.#options.handle({data: message.content, metadata})
    if (noAck) return
    if (handled === 'returned' && !consumer.isAway) await pause(RETURN_MS, signal)
    try {
      if (handled === 'done') channel.ack(message)
      else channel.nack(message, false, handled === 'returned' || requeueInFailure)
    } catch {
      // the channel is closed: the broker delivers the message again
    }
  }
}

/** Creates the queue of a subscription and binds it to its topic. Returns the channel (components-contrib: rabbitMQ.prepareSubscription). */
export async function openQueue(
  connection: RecoveringChannelModel,
  settings: RabbitSettings,
  options: SubscribeOptions
): Promise<Channel> {
  const {topic, metadata} = options
  const queue = queueOf(options, settings)
  const {durable, deletedWhenUnused: autoDelete} = settings
  const own = argumentsOf(metadata)
  const channel = await connection.createChannel()
  channel.on('error', () => undefined)
  try {
    await declareTopic(channel, topic, settings)
    if (settings.enableDeadLetter) {
      const [exchange, rejected] = [`dlx-${queue}`, `dlq-${queue}`]
      await channel.assertExchange(exchange, 'fanout', {durable: true, autoDelete})
      const lazy = {...limitsOf(settings), 'x-queue-mode': 'lazy'}
      await channel.assertQueue(rejected, {durable: true, autoDelete, arguments: lazy})
      await channel.bindQueue(rejected, exchange, '')
    }
    const dead = settings.enableDeadLetter ? {'x-dead-letter-exchange': `dlx-${queue}`} : {}
    await channel.assertQueue(queue, {durable, autoDelete, arguments: {...dead, ...limitsOf(settings), ...own}})
    for (const key of textNamed(metadata, 'routingKey').split(',')) await channel.bindQueue(queue, topic, key)
    return channel
  } catch (error) {
    await closeChannel(channel)
    throw error
  }
}

const queueOf = ({topic, group, metadata}: SubscribeOptions, {consumerId}: RabbitSettings): string =>
  textNamed(metadata, 'queueName') || `${consumerId || group}-${topic}`

type Arguments = Readonly<Record<string, string | number | boolean>>

const limitsOf = ({maxLen, maxLenBytes}: Pick<RabbitSettings, 'maxLen' | 'maxLenBytes'>): Arguments => ({
  ...(maxLen > 0 && {'x-max-length': maxLen}),
  ...(maxLenBytes > 0 && {'x-max-length-bytes': maxLenBytes})
})

/** Returns the arguments of the queue that the subscription's metadata set. Throws for invalid ones. */
function argumentsOf(metadata: SubscribeOptions['metadata']): Arguments {
  const type = textNamed(metadata, 'queueType') || 'classic'
  if (!QUEUE_TYPES.includes(type)) throw new Error(`invalid queue type ${type}. Valid types are classic and quorum`)
  const numberOf = (name: string, most = Number.MAX_SAFE_INTEGER): number => {
    const text = textNamed(metadata, name)
    if (text !== '' && !/^\d+$/.test(text)) throw new Error(`${name} must be a whole number, and not "${text}"`)
    return Math.min(Number(text), most)
  }
  const [priority, maxLen, maxLenBytes] = [numberOf('maxPriority', 255), numberOf('maxLen'), numberOf('maxLenBytes')]
  return {
    'x-queue-type': type,
    ...(priority > 0 && {'x-max-priority': priority}),
    ...(/^(?:1|t|true|y|yes|on)$/i.test(textNamed(metadata, 'singleActiveConsumer')) && {
      'x-single-active-consumer': true
    }),
    ...limitsOf({maxLen, maxLenBytes})
  }
}

/** Resolves with the reason when a channel closes. */
const whyClosed = async (channel: Channel): Promise<Error> =>
  new Promise(resolve => {
    channel.once('error', resolve)
    channel.once('close', () => resolve(new Error('the channel to RabbitMQ is closed')))
  })

/** Closes a channel. The library's promise never settles if the connection is lost. */
export async function closeChannel(channel: Channel): Promise<void> {
  await Promise.race([whyClosed(channel), channel.close().catch(() => undefined)])
}

/** Returns the properties and headers of a message as metadata. */
function propertiesOf({properties}: ConsumeMessage): BrokerMessage['metadata'] {
  const given: object = properties
  const {messageId, correlationId, type, contentType, headers} = given as Readonly<Record<string, unknown>>
  const own: Readonly<Record<string, unknown>> = {
    messageid: messageId,
    correlationid: correlationId,
    type,
    contenttype: contentType,
    ...(headers as object | undefined)
  }
  return Object.fromEntries(
    Object.entries(own).flatMap(([name, value]): readonly (readonly [string, string])[] => {
      if (value === undefined || value === null || value === '') return []
      return [[`metadata.${name}`, typeof value === 'string' ? value : JSON.stringify(value)]]
    })
  )
}
