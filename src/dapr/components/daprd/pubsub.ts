import {encode} from '../../../proxy/net/grpc/message-codec.ts'
import type {BrokerMessage, PubSub, SubscribeOptions, TopicReader} from '../pubsub.ts'
import {PublishEventRequest} from '../../../model/dapr/messages/pubsub.generated.ts'
import {callerOf, closeInDaprd, type OpenedByDaprd} from './daprd-access.ts'
import {HeldReader} from './held-reader.ts'

/** A message broker of daprd: messages pass as the bytes that they are, the envelope is made and opened here. */
export class DaprdPubSub implements PubSub {
  readonly capabilities: readonly string[]
  readonly keepsFailed = true
  readonly close = closeInDaprd
  readonly #options: OpenedByDaprd

  constructor(options: OpenedByDaprd) {
    this.capabilities = options.capabilities
    this.#options = options
  }

  async publish(topic: string, {data, metadata}: BrokerMessage): Promise<void> {
    const message = {
      pubsubName: this.#options.resource.name,
      topic,
      data,
      dataContentType: 'application/octet-stream',
      metadata: {...metadata, rawPayload: 'true'}
    }
    await callerOf(this.#options)('PublishEvent', encode(PublishEventRequest, message))
  }

  async subscribe({topic, atOnce, ready, handle}: SubscribeOptions): Promise<TopicReader> {
    const {access, resource} = this.#options
    const holdMs = access.holdMs(resource)
    const held = new HeldReader()
    const end = access.read({
      pubsubName: resource.name,
      topic,
      atOnce,
      deliver: async message => held.handle(holdMs, ready, async () => handle(message))
    })
    return {
      stop: async () => {
        end()
        await held.answered()
      }
    }
  }
}
