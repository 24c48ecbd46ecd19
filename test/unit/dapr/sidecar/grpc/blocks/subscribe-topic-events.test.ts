import {getEventListeners} from 'node:events'
import t from 'tap'
import {SubscribeTopicEventsRequestAlpha1} from '../../../../../../src/model/dapr/messages/pubsub.generated.ts'
import type {Blocks} from '../../../../../../src/dapr/sidecar/blocks/blocks.ts'
import type {EventChannel} from '../../../../../../src/dapr/sidecar/blocks/event-channel.ts'
import {subscribeTopicEvents} from '../../../../../../src/dapr/sidecar/grpc/blocks/subscribe-topic-events.ts'
import type {ServerStream} from '../../../../../../src/dapr/sidecar/grpc/server-stream.ts'
import {encode} from '../../../../../../src/proxy/net/grpc/message-codec.ts'

t.test('a stream whose message is no protobuf leaves no subscription behind, and no event waits for it', async t => {
  const first = encode(SubscribeTopicEventsRequestAlpha1, {
    initialRequest: {pubsubName: 'bus', topic: 'orders', metadata: {}, deadLetterTopic: undefined}
  })
  const messages = [first, Uint8Array.from([0x0a, 0xff, 0xff, 0xff, 0x7f])]
  const closing = new AbortController().signal
  const stream = {
    next: async () => messages.shift(),
    send: () => undefined,
    ended: new AbortController().signal,
    closing
  } as unknown as ServerStream
  let stopped = 0
  let channel: EventChannel | undefined
  const open = async (_: unknown, opened: EventChannel): Promise<object> => {
    channel = opened
    return {stop: async () => void stopped++}
  }
  await t.rejects(subscribeTopicEvents(stream, {subscriptions: {open}} as unknown as Blocks))
  t.equal(stopped, 1)
  t.equal(getEventListeners(closing, 'abort').length, 0, 'the sidecar, which lives on, keeps nothing of it')
  const event = {} as Parameters<EventChannel['deliver']>
  t.match(await channel?.deliver(event[0], event[1]), {kind: 'interrupted'})
})
