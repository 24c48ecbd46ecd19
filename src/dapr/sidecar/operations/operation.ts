import type {OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {Empty} from '../../../model/dapr/messages/google.generated.ts'
import type {Message, Schema} from '../../../proxy/net/grpc/message-codec.ts'
import type {GrpcStatus} from '../../../proxy/net/grpc/status.ts'
import type {Blocks} from '../blocks/blocks.ts'
import type {RequestHead} from '../grpc/request-head.ts'
import type {ServerStream} from '../grpc/server-stream.ts'
import type {Trace} from '../http/trace.ts'
import {json, readJson, type BlockHandler, type BlockRequest} from './block-request.ts'
import {messageOfJson} from './proto-json.ts'

// operations/: Dapr's API, `model/dapr/api/`, as calls to the blocks of an app: one file for each block.

export interface BlockCaller {
  readonly head: Pick<RequestHead, 'baggage' | 'traceparent' | 'traceBin'>
  readonly trace: Trace
  /** Adds a field to the head of the answer. */
  readonly setHeader: (name: string, value: string) => void
  /** Calls the listener when the caller disconnects. */
  readonly onGone: OnGone
}

/** Serves an operation of the API. A part that Dapr lacks is omitted. All reject with a BlockError. */
export interface BlockOperation {
  readonly http?: BlockHandler
  readonly grpc?: GrpcOperation
  /** The status that a stream of gRPC ends with. */
  readonly stream?: (stream: ServerStream, blocks: Blocks) => Promise<GrpcStatus>
}

/** A method of gRPC. `answer` returns the message, or undefined for an empty message. */
export interface GrpcOperation<Q extends Schema = Schema, R extends Schema = Schema> {
  readonly request: Q
  readonly reply: R
  answer(blocks: Blocks, request: Message<Q>, caller: BlockCaller): Promise<Partial<Message<R>> | undefined>
}

/** The operations of a block of the table. */
export type OperationsOf<B extends {readonly operations: object}> = {
  readonly [K in keyof B['operations']]: BlockOperation
}

/** The bytes of a field as a Buffer. */
export const bufferOf = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.length)

/** A method of gRPC with these messages. */
export const grpc = <Q extends Schema, R extends Schema>(
  request: Q,
  reply: R,
  answer: GrpcOperation<Q, R>['answer']
): GrpcOperation => ({request, reply, answer})

/** A method of gRPC whose answer is empty. */
export const grpcDone = <Q extends Schema>(
  request: Q,
  act: (blocks: Blocks, request: Message<Q>, caller: BlockCaller) => Promise<unknown>
): GrpcOperation => grpc(request, Empty, async (...given) => void (await act(...given)))

/** An operation that is the same over HTTP and gRPC. */
interface Universal<Q extends Schema, R extends Schema> {
  readonly request: Q
  readonly reply: R
  readonly params: readonly (keyof Q & string)[]
  readonly run: (blocks: Blocks, request: Message<Q>, onGone: OnGone) => Promise<Message<R>>
}

/** Over HTTP the body is the request as JSON, and the answer is JSON (Dapr: pkg/api/http/universal.go). */
export const universal = <Q extends Schema, R extends Schema>({
  request,
  reply,
  params,
  run
}: Universal<Q, R>): BlockOperation => ({
  grpc: grpc(request, reply, async (blocks, message, {onGone}) => run(blocks, message, onGone)),
  http: async (blocks, sent) => json(await run(blocks, messageIn(request, params, sent), sent.onGone))
})

/** Reads a message from a body. An empty body counts as an empty object, so that errors name the missing properties. */
export function messageIn<Q extends Schema>(schema: Q, params: readonly string[], sent: BlockRequest): Message<Q> {
  const {value} = sent.body.length === 0 ? {value: {}} : readJson(sent)
  const named = Object.fromEntries(params.map((name, at) => [name, sent.params[at] ?? '']))
  return {...messageOfJson(schema, value), ...named}
}
