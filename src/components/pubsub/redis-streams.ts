import type {Argument, RedisConnection} from '#redis'
import type {BrokerMessage, PubSub, SubscribeOptions, TopicReader} from '../pubsub.ts'
import {StreamReader} from './stream-reader.ts'
import type {StreamSettings} from './stream-settings.ts'
import {TurnLimit} from './turn-limit.ts'

/**
 * While subscribers of this run are behind, so many messages are published in one turn of the event loop: they take turns. With
 * twice as many more is published than delivered, and what waits grows.
 */
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
  }

  // few promises: many events
  publish(topic: string, message: BrokerMessage): Promise<unknown> {
    return this.#isBehind ? this.#turns.next().then(async () => this.#add(topic, message)) : this.#add(topic, message)
  }

  #add(topic: string, {data, metadata}: BrokerMessage): Promise<unknown> {
    const {maxLength} = this.#settings
    const command: Argument[] = ['XADD', topic]
    if (maxLength > 0) command.push('MAXLEN', '~', maxLength.toString())
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

  /** What is being handled may still be acknowledged; it is not waited for. */
  async close(): Promise<void> {
    const ends = [...this.#readers].map(async reader => reader.stop())
    if (ends.length === 0) return this.#connection.close()
    void Promise.allSettled(ends).then(async () => this.#connection.close())
  }
}
