import {messageOf} from '../../../model/errors.ts'
import {decode, encode} from '../../../net/grpc/message-codec.ts'
import type {BlockMethod} from './block-method.ts'
import {
  ASK_CONFIGURATION,
  CONFIGURATION,
  UNSUBSCRIBE_CONFIGURATION,
  UNSUBSCRIBED_CONFIGURATION
} from '../../../net/grpc/messages/configuration.ts'

// Configuration over gRPC (Dapr: pkg/api/grpc/grpc.go).

export const getConfiguration: BlockMethod = async ({configurations}, bytes, {onGone}) => {
  const {storeName, keys, metadata} = decode(ASK_CONFIGURATION, bytes)
  return encode(CONFIGURATION, {items: await configurations.get(storeName, keys, metadata, onGone)})
}

/** Ends a subscription and its stream. An unknown id is reported in the answer. */
export const unsubscribeConfiguration: BlockMethod = async ({configurations}, bytes) => {
  const {id} = decode(UNSUBSCRIBE_CONFIGURATION, bytes)
  try {
    await configurations.end(id)
    return encode(UNSUBSCRIBED_CONFIGURATION, {ok: true})
  } catch (error) {
    const message = `failed to unsubscribe to configuration request ${id}: ${messageOf(error)}`
    return encode(UNSUBSCRIBED_CONFIGURATION, {ok: false, message})
  }
}
