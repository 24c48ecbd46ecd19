import {encode} from '../../../proxy/net/grpc/message-codec.ts'
import {BlockError} from '../blocks/block-error.ts'

/** Matches the prefixes that Dapr's errors have over HTTP but not over gRPC. */
const OF_HTTP =
  /^(?:invalid request: |error invoke actor method: (?=failed to lookup actor: )|invalid \w+ name: (?=\w+ name cannot be empty))/

/** Wraps a function of the actor API so that its errors have the words of gRPC (Dapr: pkg/api/grpc/actors.go). */
export const inGrpc =
  <Given extends readonly unknown[], T>(answer: (...given: Given) => Promise<T>) =>
  async (...given: Given): Promise<T> => {
    try {
      return await answer(...given)
    } catch (error) {
      if (error instanceof BlockError) error.message = error.message.replace(OF_HTTP, '').replace(OF_HTTP, '')
      throw error
    }
  }

const TYPE = 'type.googleapis.com/google.protobuf.BytesValue'
const BYTES_VALUE = {value: [1, 'bytes']} as const

/** Wraps JSON in an Any with a BytesValue, as Dapr does; undefined: none. */
export const bytesValue = (data: string | undefined) =>
  data === undefined ? undefined : {typeUrl: TYPE, value: encode(BYTES_VALUE, {value: Buffer.from(data)})}
