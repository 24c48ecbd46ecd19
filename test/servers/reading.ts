import type {Handled, BrokerMessage, PubSub, SubscribeOptions, TopicReader} from '../../src/dapr/components/pubsub.ts'
import {StartQueue} from '../rig/queue.ts'

/** A message; the reader goes on when it is finished. */
export interface Delivery {
  readonly text: string
  readonly metadata: BrokerMessage['metadata']
  readonly finish: (handled?: Handled) => void
}

/** A subscription whose messages the test takes one by one. */
export interface Reading {
  readonly next: () => Promise<Delivery>
  readonly reader: TopicReader
  readonly logged: string[]
}

export const read = async (pubsub: PubSub, topic: string, more: Partial<SubscribeOptions> = {}): Promise<Reading> => {
  const deliveries = new StartQueue<Delivery>()
  const logged: string[] = []
  const reader = await pubsub.subscribe({
    topic,
    group: 'shop',
    metadata: {},
    ready: async () => undefined,
    atOnce: 0,
    handle: async ({data, metadata}) =>
      new Promise(resolve =>
        deliveries.put({text: data.toString(), metadata, finish: (handled = 'done') => resolve(handled)})
      ),
    log: (_, text) => logged.push(text),
    ...more
  })
  return {next: async () => deliveries.take(), reader, logged}
}

export const publish = async (pubsub: PubSub, topic: string, text: string, metadata = {}): Promise<unknown> =>
  pubsub.publish(topic, {data: Buffer.from(text), metadata})

/** Finishes the next message. */
export const textOf = async ({next}: Reading): Promise<string> => {
  const {text, finish} = await next()
  finish()
  return text
}
