import {decode, encode} from '../../../net/grpc/message-codec.ts'
import {OK, UNKNOWN, type GrpcStatus} from '../../../net/grpc/status.ts'
import {aborted} from '../../../platform/delay.ts'
import {usualRule} from '../../../resources/subscriptions.ts'
import type {Blocks} from '../../blocks/blocks.ts'
import type {ServerStream} from '../server-stream.ts'
import {
  SubscribeTopicEventsRequestAlpha1,
  SubscribeTopicEventsResponseAlpha1
} from '../../../dapr/messages/pubsub.generated.ts'
import {StreamEventChannel} from './stream-event-channel.ts'

const failed = (message: string): GrpcStatus => ({code: UNKNOWN, message})

/**
 * A subscription for each stream, which ends with it: events that the caller has not answered go back to the broker
 * (Dapr: pkg/api/grpc/subscribe.go, pkg/runtime/pubsub/streamer). The path of its events is `/`.
 */
export async function subscribeTopicEvents(stream: ServerStream, {subscriptions}: Blocks): Promise<GrpcStatus> {
  const first = await stream.next()
  if (first === undefined) return failed('EOF')
  const {initialRequest: initial} = decode(SubscribeTopicEventsRequestAlpha1, first)
  if (initial === undefined) return failed('initial request is required')
  if (initial.pubsubName === '') return failed('pubsubName is required')
  if (initial.topic === '') return failed('topic is required')
  const channel = new StreamEventChannel(stream)
  const isGone = Promise.withResolvers<GrpcStatus>()
  const open = await subscriptions.open(
    {...initial, deadLetterTopic: initial.deadLetterTopic ?? '', rules: [usualRule('/')], bulk: undefined},
    channel,
    why => isGone.resolve(failed(why))
  )
  stream.send(encode(SubscribeTopicEventsResponseAlpha1, {initialResponse: {}}))
  channel.begin()
  const end = await Promise.race([answers(stream, channel), isGone.promise, closed(stream, open)])
  const stopped = open.stop()
  channel.close()
  await stopped
  return end
}

/** Reads the caller's answers until the stream ends. */
async function answers(stream: ServerStream, channel: StreamEventChannel): Promise<GrpcStatus> {
  for (;;) {
    const message = await stream.next()
    if (message === undefined) return {code: OK, message: ''}
    const {eventProcessed: processed} = decode(SubscribeTopicEventsRequestAlpha1, message)
    if (processed === undefined) return failed('duplicate initial request received')
    channel.processed(processed.id, processed.status?.status ?? 0)
  }
}

/** The sidecar closes: what the caller has may still be answered. */
async function closed(stream: ServerStream, open: {readonly stop: () => Promise<void>}): Promise<GrpcStatus> {
  await aborted(stream.closing)
  await open.stop()
  return failed('stream closed')
}
