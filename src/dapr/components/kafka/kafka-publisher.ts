import {Producer} from '@platformatic/kafka'
import {messageOf} from '../../../model/errors.ts'
import {fnv1a} from '../../../model/fnv1a.ts'
import type {BrokerMessage} from '../pubsub.ts'
import type {KafkaSettings} from './kafka-settings.ts'

/** Publishes to topics of Kafka (components-contrib: common/component/kafka/producer.go). */
export class KafkaPublisher {
  readonly #producer: Producer
  readonly #settings: KafkaSettings

  constructor(settings: KafkaSettings) {
    const {client, acks, compression} = settings
    this.#settings = settings
    this.#producer = new Producer({...client, acks, compression, partitioner: partitionOf})
  }

  /** Rejects if no broker can be reached. */
  async check(): Promise<void> {
    await this.#producer.metadata({topics: []})
  }

  /**
   * Publishes a message; settles once brokers have confirmed it as `acks` demands (0: once it is sent). `null` becomes a record without a
   * value, a tombstone.
   */
  async publish(topic: string, {data, metadata}: BrokerMessage): Promise<void> {
    const {excluded} = this.#settings
    const key = metadata['partitionKey'] ?? metadata['__key']
    const number = metadata['partitionNumber']
    if (number !== undefined && !/^\d+$/.test(number))
      throw new Error(`invalid partitionNumber metadata value "${number}"`)
    const headers = Object.entries(metadata).filter(([name]) => excluded?.test(name) !== true)
    const message = {
      topic,
      headers: new Map(headers.map(([name, value]) => [Buffer.from(name), Buffer.from(value)])),
      ...(!data.equals(NULL) && {value: data}),
      ...(key !== undefined && {key: Buffer.from(key)}),
      ...(number !== undefined && {partition: Number(number)})
    }
    await this.#producer.send({messages: [message]}).catch((error: unknown) => {
      throw new Error(bottomOf(error), {cause: error})
    })
  }

  async close(): Promise<void> {
    await this.#producer.close()
  }
}

/** Returns the innermost reason of an error of the client, which itself names only the failed operation. */
export function bottomOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return bottomOf(error.errors.at(-1))
  return error instanceof Error && error.cause instanceof Error ? bottomOf(error.cause) : messageOf(error)
}

/** Data of an event that becomes a record without a value. */
export const NULL = Buffer.from('null')

/** Chooses the partition as Dapr's publishers do: equal keys have the same partition, messages without a key a random one (sarama.NewHashPartitioner: FNV-1a). */
function partitionOf(_: unknown, key: Buffer | undefined): number {
  if (key === undefined) return Math.floor(Math.random() * 2 ** 31)
  return Math.abs(fnv1a(key) | 0)
}
