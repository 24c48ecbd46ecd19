import type {GrpcStatus} from '../../../net/grpc/status.ts'
import type {Blocks} from '../../blocks/blocks.ts'
import type {Trace} from '../../http/trace.ts'

/** Answers a call to a building block with a message, or with the status that it fails with; rejects with a BlockError. */
export type BlockMethod = (blocks: Blocks, message: Uint8Array, trace: Trace) => Promise<Uint8Array | GrpcStatus>

/** The bytes of a field as a Buffer. */
export const bytesOf = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.length)
