import type {OpenComponent} from '../component.ts'
import type {PubSub, BrokerMessage, SubscribeOptions, TopicReader} from '../pubsub.ts'
import {openRedis} from '../redis/open-redis.ts'
import type {Argument, RedisConnection} from '#redis'
import {StreamReader, type StreamSettings} from './stream-reader.ts'

/** Lets a limited number of callers continue in each turn of the event loop. The others wait for the next turns, in order. */
export class TurnLimit {
  readonly #atOnce: number
  #left: number
  #waiting: (() => void)[] = []
  #isCounting = false

  constructor(atOnce: number) {
    this.#atOnce = atOnce
    this.#left = atOnce
  }

  /** Resolves when the caller may continue. */
  async next(): Promise<void> {
    this.#count()
    if (this.#left > 0) this.#left--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  #count(): void {
    if (this.#isCounting) return
    this.#isCounting = true
    setImmediate(() => {
      this.#isCounting = false
      const next = this.#waiting.splice(0, this.#atOnce)
      this.#left = this.#atOnce - next.length
      if (next.length > 0) this.#count()
      for (const resume of next) resume()
    })
  }
}

/** Number of messages to publish in each turn of the event loop while subscribers of this run are behind. With twice as many, queues grow. */
const PUBLISHED_A_TURN = 8

/** Topics as streams of Redis, subscriptions as consumer groups (components-contrib: pubsub/redis). */
export class RedisStreams implements PubSub {
  readonly capabilities = []
  readonly #connection: RedisConnection
  readonly #settings: StreamSettings
  readonly #readers = new Set<StreamReader>()
  readonly #turns = new TurnLimit(PUBLISHED_A_TURN)

  constructor(connection: RedisConnection, settings: StreamSettings) {
    this.#connection = connection
    this.#settings = settings
    connection.onServer?.(() => this.#readers.forEach(reader => reader.claimNow())) // the run that served Redis has returned its messages
  }

  // runs for each event, so that it creates few promises
  publish(topic: string, message: BrokerMessage): Promise<unknown> {
    return this.#isBehind ? this.#turns.next().then(async () => this.#add(topic, message)) : this.#add(topic, message)
  }

  #add(topic: string, {data, metadata}: BrokerMessage): Promise<unknown> {
    const {maxLength, ttlMs} = this.#settings
    const command: Argument[] = ['XADD', topic]
    if (maxLength > 0) command.push('MAXLEN', '~', maxLength.toString())
    else if (ttlMs > 0) command.push('MINID', '~', `${Math.max(0, Date.now() - ttlMs)}-1`)
    command.push('*', 'data', data)
    if (Object.keys(metadata).length > 0) command.push('metadata', JSON.stringify(metadata))
    return this.#connection.command(command)
  }

  async subscribe(options: SubscribeOptions): Promise<TopicReader> {
    const reader = await StreamReader.open(this.#connection, this.#settings, options)
    this.#readers.add(reader)
    return {
      backlog: async () => reader.backlog(),
      stop: async () => {
        await reader.stop()
        this.#readers.delete(reader)
      }
    }
  }

  get #isBehind(): boolean {
    for (const reader of this.#readers) if (reader.isBehind) return true
    return false
  }

  /** Stops the readers. Does not wait for running deliveries, which are acknowledged before the connection closes. */
  async close(): Promise<void> {
    const ends = [...this.#readers].map(async reader => reader.stop())
    if (ends.length === 0) return this.#connection.close()
    void Promise.allSettled(ends).then(async () => this.#connection.close())
  }
}

const READ_TIMEOUT_MS = 3000

/** `pubsub.redis`: topics are streams (components-contrib: pubsub/redis). */
export const open: OpenComponent<PubSub> = async options => {
  const {properties} = options
  const readTimeoutMs = properties.durationMs('readTimeout', READ_TIMEOUT_MS)
  const settings = {
    consumerId: properties.text('consumerID'),
    redeliverIntervalMs: properties.durationMs('redeliverInterval', 15_000),
    processingTimeoutMs: properties.durationMs('processingTimeout', 60_000),
    queueDepth: properties.integer('queueDepth', 100),
    concurrency: properties.integer('concurrency', 10),
    maxLength: properties.integer('maxLenApprox', 0),
    ttlMs: properties.durationMs('streamTTL', 0, 1, Infinity),
    readTimeoutMs: readTimeoutMs > 0 ? readTimeoutMs : READ_TIMEOUT_MS
  }
  return new RedisStreams(await openRedis('redis streams: error connecting to redis', options), settings)
}
