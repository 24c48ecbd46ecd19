import {decode, encode} from '../../../../proxy/net/grpc/message-codec.ts'
import {OK, UNKNOWN, type GrpcStatus} from '../../../../proxy/net/grpc/status.ts'
import {aborted} from '../../../../platform/delay.ts'
import type {Blocks} from '../../blocks/blocks.ts'
import type {ServerStream} from '../server-stream.ts'
import {
  SubscribeConfigurationRequest,
  SubscribeConfigurationResponse
} from '../../../../model/dapr/messages/configuration.generated.ts'

/**
 * Sends the id of a new subscription, then changes of its keys. Ends when the caller disconnects, the sidecar closes, or a call
 * unsubscribes by the id (Dapr: pkg/api/grpc/grpc.go).
 */
export async function subscribeConfiguration(stream: ServerStream, {configurations}: Blocks): Promise<GrpcStatus> {
  const request = await stream.next()
  if (request === undefined) return {code: UNKNOWN, message: 'EOF'}
  const {storeName, keys, metadata} = decode(SubscribeConfigurationRequest, request)
  const hasBegun = Promise.withResolvers<void>()
  const isEnded = Promise.withResolvers<void>()
  const id = await configurations.subscribe(
    {storeName, keys: keys.toSorted(), metadata, onGone: stream.onGone, ended: isEnded.resolve},
    async (subscription, items) => {
      await hasBegun.promise
      stream.send(encode(SubscribeConfigurationResponse, {id: subscription, items}))
    }
  )
  stream.send(encode(SubscribeConfigurationResponse, {id}))
  hasBegun.resolve()
  await Promise.race([aborted(AbortSignal.any([stream.ended, stream.closing])), isEnded.promise])
  await configurations.drop(id)
  return {code: OK, message: ''}
}
