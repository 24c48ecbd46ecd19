import type {ApiOperation} from '../../../model/dapr/api/api.ts'
import type {GrpcStatus} from '../../../proxy/net/grpc/status.ts'
import type {Blocks} from '../blocks/blocks.ts'
import {statusOfFault} from '../grpc/blocks/block-status.ts'
import type {ServerStream} from '../grpc/server-stream.ts'
import {operationOf} from './operations.ts'

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
