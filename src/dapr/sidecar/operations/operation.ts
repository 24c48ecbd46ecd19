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

// operations/ converts requests and responses of Dapr's API (`model/dapr/api/`) to calls of an app's building blocks: one file a block.

/** The caller's side of a gRPC call to a building block. */
export interface BlockCaller {
  readonly head: Pick<RequestHead, 'baggage' | 'traceparent' | 'traceBin'>
  readonly trace: Trace
  /** Adds a field to the head of the answer. */
  readonly setHeader: (name: string, value: string) => void
  readonly onGone: OnGone
}

/** The functions that serve an operation, by protocol, and reject with a BlockError. Omitted: Dapr does not have it over this protocol. */
export interface BlockOperation {
  readonly http?: BlockHandler
  readonly grpc?: GrpcOperation
  /** Serves a stream. Resolves with the status that ends it. */
  readonly stream?: (stream: ServerStream, blocks: Blocks) => Promise<GrpcStatus>
}

/** A unary gRPC method. `answer` resolves with the fields of the reply; undefined: an empty reply. */
export interface GrpcOperation<Q extends Schema = Schema, R extends Schema = Schema> {
  readonly request: Q
  readonly reply: R
  answer(blocks: Blocks, request: Message<Q>, caller: BlockCaller): Promise<Partial<Message<R>> | undefined>
}

/** The operations of one block `B` of the table of Dapr's API. */
export type OperationsOf<B extends {readonly operations: object}> = {
  readonly [K in keyof B['operations']]: BlockOperation
}

/** Returns the bytes of a field as a Buffer, without a copy. */
export const bufferOf = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.length)

export const grpc = <Q extends Schema, R extends Schema>(
  request: Q,
  reply: R,
  answer: GrpcOperation<Q, R>['answer']
): GrpcOperation => ({request, reply, answer})

/** Makes a gRPC method with an empty reply. */
export const grpcDone = <Q extends Schema>(
  request: Q,
  act: (blocks: Blocks, request: Message<Q>, caller: BlockCaller) => Promise<unknown>
): GrpcOperation => grpc(request, Empty, async (...given) => void (await act(...given)))

/** An operation that is the same over HTTP and gRPC. */
interface Universal<Q extends Schema, R extends Schema> {
  readonly request: Q
  readonly reply: R
  /** The fields of the request that are parameters of the path over HTTP, in their order. */
  readonly params: readonly (keyof Q & string)[]
  readonly run: (blocks: Blocks, request: Message<Q>, onGone: OnGone) => Promise<Message<R>>
}

/** Makes an operation that is the same over HTTP and gRPC. Over HTTP request and response are JSON (Dapr: pkg/api/http/universal.go). */
export const universal = <Q extends Schema, R extends Schema>({
  request,
  reply,
  params,
  run
}: Universal<Q, R>): BlockOperation => ({
  grpc: grpc(request, reply, async (blocks, message, {onGone}) => run(blocks, message, onGone)),
  http: async (blocks, sent) => json(await run(blocks, messageIn(request, params, sent), sent.onGone))
})

/** Reads a message from a JSON body, and fields from the path. An empty body counts as an empty object, so that errors name missing fields. */
export function messageIn<Q extends Schema>(schema: Q, params: readonly string[], sent: BlockRequest): Message<Q> {
  const {value} = sent.body.length === 0 ? {value: {}} : readJson(sent)
  const named = Object.fromEntries(params.map((name, at) => [name, sent.params[at] ?? '']))
  return {...messageOfJson(schema, value), ...named}
}
