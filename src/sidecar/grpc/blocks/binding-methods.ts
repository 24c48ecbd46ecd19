import {decode, encode} from '../../../net/grpc/message-codec.ts'
import {BINDING_RESPONSE, INVOKE_BINDING} from '../../../net/grpc/messages/binding.ts'
import {bytesOf, type BlockMethod} from './block-method.ts'

// Bindings over gRPC (Dapr: pkg/api/grpc/grpc.go, InvokeBinding).

const NOTHING = new Uint8Array(0)

export const invokeBinding: BlockMethod = async (
  {bindings},
  bytes,
  {trace: {traceparent, tracestate}, head: {baggage}, onGone}
) => {
  const {name, data, metadata, operation} = decode(INVOKE_BINDING, bytes)
  const trace = {traceparent, ...(tracestate !== '' && {tracestate})}
  // what was sent counts more than what the request says (Dapr)
  const sent = baggage === '' ? {} : {baggage}
  const response = await bindings.invoke(
    name,
    {operation, data: bytesOf(data), metadata: {...trace, ...metadata, ...sent}},
    onGone
  )
  return response === undefined ? NOTHING : encode(BINDING_RESPONSE, response)
}
