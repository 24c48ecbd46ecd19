import type {OnGone} from '../../../gateway/interceptors/resiliency/component-policies.ts'
import type {GrpcStatus} from '../../../net/grpc/status.ts'
import type {Blocks} from '../../blocks/blocks.ts'
import type {Trace} from '../../http/trace.ts'
import type {RequestHead} from '../request-head.ts'

/** Answers a call to a building block with a message, or with the status that it fails with; rejects with a BlockError. */
export type BlockMethod = (blocks: Blocks, message: Uint8Array, caller: BlockCaller) => Promise<Uint8Array | GrpcStatus>

/** Who has called. */
export interface BlockCaller {
  readonly head: Pick<RequestHead, 'baggage'>
  readonly trace: Trace
  /** Calls the listener when the caller disconnects. */
  readonly onGone: OnGone
}

/** The bytes of a field as a Buffer. */
export const bytesOf = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.length)
