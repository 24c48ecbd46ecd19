import {decode, encode} from '../../../net/grpc/message-codec.ts'
import {bytesOf, type BlockMethod} from './block-method.ts'

// Bindings over gRPC (Dapr: pkg/api/grpc/grpc.go, InvokeBinding).

const INVOKE_BINDING = {
  name: [1, 'string'],
  data: [2, 'bytes'],
  metadata: [3, 'map'],
  operation: [4, 'string']
} as const

const BINDING_RESPONSE = {data: [1, 'bytes'], metadata: [2, 'map']} as const

const NOTHING = new Uint8Array(0)

export const invokeBinding: BlockMethod = async ({bindings}, bytes, {traceparent, tracestate}) => {
  const {name, data, metadata, operation} = decode(INVOKE_BINDING, bytes)
  const trace = {traceparent, ...(tracestate !== '' && {tracestate})}
  const response = await bindings.invoke(name, {operation, data: bytesOf(data), metadata: {...trace, ...metadata}})
  return response === undefined ? NOTHING : encode(BINDING_RESPONSE, response)
}
