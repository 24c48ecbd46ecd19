import type {GrpcStatus} from '../../../net/grpc/status.ts'
import type {Blocks} from '../../blocks/blocks.ts'
import type {ServerStream} from '../server-stream.ts'
import {statusOfFault} from './block-status.ts'
import {subscribeConfiguration} from './subscribe-configuration.ts'
import {subscribeTopicEvents} from './subscribe-topic-events.ts'

/** Serves a stream of a building block; the status that it ends with. Rejects with a BlockError or DecodeError. */
type StreamMethod = (stream: ServerStream, blocks: Blocks) => Promise<GrpcStatus>

const METHODS: Readonly<Record<string, StreamMethod>> = {
  SubscribeTopicEventsAlpha1: subscribeTopicEvents,
  SubscribeConfigurationAlpha1: subscribeConfiguration,
  SubscribeConfiguration: subscribeConfiguration
}

/** Serves a stream of a building block, failures included. */
export async function callStream(blocks: Blocks, name: string, stream: ServerStream): Promise<GrpcStatus> {
  try {
    const method = METHODS[name]
    if (method === undefined) throw new Error(`no method ${name}`)
    return await method(stream, blocks)
  } catch (error) {
    return statusOfFault(error)
  }
}
