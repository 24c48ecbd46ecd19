import {encode} from '../../../proxy/net/grpc/message-codec.ts'
import type {PubSub} from '../pubsub.ts'
import {PublishEventRequest} from '../../../model/dapr/messages/pubsub.generated.ts'
import {callerOf, type OpenedByDaprd} from './daprd-access.ts'
import {heldReader} from './held-reader.ts'
import {holdMsOf} from './hold.ts'

/** A message broker of daprd: messages pass as the bytes that they are, the envelope is made and opened here. */
export function daprdBroker(options: OpenedByDaprd): PubSub {
  const {access, capabilities, resource} = options
  const pubsubName = resource.name
  return {
    capabilities,
    keepsFailed: true,
    publish: async (topic, {data, metadata}) =>
      callerOf(options)(
        'PublishEvent',
        encode(PublishEventRequest, {
          pubsubName,
          topic,
          data,
          dataContentType: 'application/octet-stream',
          metadata: {...metadata, rawPayload: 'true'}
        })
      ),
    subscribe: async ({topic, atOnce, ready, handle}) =>
      heldReader({holdMs: holdMsOf(resource), ready, handle}, deliver =>
        access.read({pubsubName, topic, atOnce, deliver})
      )
  }
}
