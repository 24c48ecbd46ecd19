import type {ApiOperation} from '../../../model/dapr/api/api.ts'
import {decode, encode} from '../../../proxy/net/grpc/message-codec.ts'
import type {GrpcStatus} from '../../../proxy/net/grpc/status.ts'
import type {Blocks} from '../blocks/blocks.ts'
import {statusOfFault} from '../grpc/blocks/block-status.ts'
import type {ServerStream} from '../grpc/server-stream.ts'
import type {BlockCaller} from './operation.ts'
import {sentTrace} from '../grpc/grpc-trace.ts'
import {carriedTraceparent} from '../http/trace.ts'
import {operationOf} from './operations.ts'

const NOTHING = new Uint8Array(0)

/** Serves a call to a building block, failures included. */
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
    return reply === undefined ? NOTHING : encode(operation.reply, reply)
  } catch (error) {
    return statusOfFault(error)
  }
}

/** Serves a stream of a building block, failures included. */
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
