import type {ApiOperation} from '../../../model/dapr/api/api.ts'
import {decode, DecodeError, EMPTY_BYTES, encode} from '../../../proxy/net/grpc/message-codec.ts'
import {type GrpcStatus, INTERNAL} from '../../../proxy/net/grpc/status.ts'
import type {Blocks} from '../blocks/blocks.ts'
import type {ServerStream} from '../grpc/server-stream.ts'
import type {BlockCaller} from './operation.ts'
import {sentTrace} from '../grpc/grpc-trace.ts'
import {carriedTraceparent} from '../http/trace.ts'
import {operationOf} from './operations.ts'
import {ERROR_INFO, RPC_TYPES, STATUS} from '../../../proxy/net/grpc/error-info.ts'
import {latin1} from '../../../proxy/net/grpc/message-gauge.ts'
import {BlockError} from '../blocks/block-error.ts'

/** Serves a unary call to a building block. Resolves with a status if it fails. */
export async function answerGrpc(
  blocks: Blocks,
  name: ApiOperation['name'],
  message: Uint8Array,
  caller: BlockCaller
): Promise<Uint8Array | GrpcStatus> {
  caller.onGone.traceparent = carriedTraceparent(sentTrace(caller.head))
  try {
    const operation = operationOf(name, 'grpc')
    const reply = await operation.answer(blocks, decode(operation.request, message), caller)
    return reply === undefined ? EMPTY_BYTES : encode(operation.reply, reply)
  } catch (error) {
    return statusOfFault(error)
  }
}

/** Serves a stream of a building block. Resolves with the status that ends it. */
export async function answerStream(
  blocks: Blocks,
  name: ApiOperation['name'],
  stream: ServerStream
): Promise<GrpcStatus> {
  try {
    return await operationOf(name, 'stream')(stream, blocks)
  } catch (error) {
    return statusOfFault(error)
  }
}

/** Messages of error details, besides ErrorInfo (googleapis: google/rpc/error_details.proto). */
const RESOURCE_INFO = {
  type: [1, 'string'],
  name: [2, 'string'],
  owner: [3, 'string'],
  description: [4, 'string']
} as const
const BAD_REQUEST = {violations: [1, {list: {field: [1, 'string'], description: [2, 'string']}}]} as const

/** Prefix that Dapr's errors have over HTTP but not over gRPC (kit/errors). */
const API_ERROR = /^api error: code = \w+ desc = /

/** Converts the error of a call to a building block to a status. Throws errors that are not the caller's. */
export function statusOfFault(error: unknown): GrpcStatus {
  if (error instanceof BlockError) return blockStatus(error)
  if (error instanceof DecodeError || error instanceof RangeError)
    return {code: INTERNAL, message: `grpc: error unmarshalling request: ${error.message}`}
  throw error
}

/** Codes of errors that have details over gRPC but not over HTTP (Dapr: pkg/api/errors, Basic, as pkg/api/grpc/grpc.go uses it). */
const WITH_INFO =
  /^ERR_(?:CONFIGURATION_(?:STORE_NOT_.*|GET|SUBSCRIBE)|INVOKE_OUTPUT_BINDING|NOT_SUPPORTED_STATE_OPERATION|STATE_(?:GET|SAVE|DELETE|BULK_DELETE|TRANSACTION))$/

/** Converts the error of a building block to a gRPC status with details. */
function blockStatus({errorCode, grpcCode: code, message: text, details: given}: BlockError): GrpcStatus {
  const message = text.replace(API_ERROR, '')
  const details = given ?? (WITH_INFO.test(errorCode) ? {reason: errorCode, metadata: null} : undefined)
  if (details === undefined) return {code, message}
  const {reason, metadata, resource, badField} = details
  const any = [
    {type: `${RPC_TYPES}ErrorInfo`, value: encode(ERROR_INFO, {reason, domain: 'dapr.io', metadata: metadata ?? {}})},
    ...(resource === undefined ? [] : [{type: `${RPC_TYPES}ResourceInfo`, value: encode(RESOURCE_INFO, resource)}]),
    ...(badField === undefined
      ? []
      : [{type: `${RPC_TYPES}BadRequest`, value: encode(BAD_REQUEST, {violations: [badField]})}])
  ]
  return {code, message, details: latin1(encode(STATUS, {code, message, details: any}))}
}
