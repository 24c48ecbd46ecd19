import grpc from '@grpc/grpc-js'
import {BinaryWriter, WireType} from '@bufbuild/protobuf/wire'
import {
  readInvokeResponse,
  writeInvokeRequest,
  type InvokeRequest,
  type InvokeResponse
} from '../../../../../src/proxy/net/grpc/invoke-messages.ts'

const bytes = (value: Buffer): Buffer => value

/** A method whose messages are bytes. */
export const method = (
  path: string,
  requestStream: boolean,
  responseStream: boolean
): grpc.MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes
})

/** A service whose messages are bytes. */
export const ECHO = {
  unary: method('/test.Echo/Unary', false, false),
  down: method('/test.Echo/Down', false, true),
  up: method('/test.Echo/Up', true, false),
  both: method('/test.Echo/Both', true, true)
}

export interface Outcome {
  readonly code: number
  readonly message: string
  readonly answer: string
  readonly head: grpc.Metadata
  readonly trailers: grpc.Metadata
}

export interface Invoked extends Outcome {
  readonly response: InvokeResponse
}

export class EchoClient extends grpc.Client {
  /** A method of Dapr's API. */
  async dapr(
    name: string,
    message: Uint8Array,
    metadata: Values = {},
    options: grpc.CallOptions = {}
  ): Promise<Outcome> {
    const path = `/dapr.proto.runtime.v1.Dapr/${name}`
    return this.call({'dapr-app-id': '-', ...metadata}, {message: Buffer.from(message), path, options})
  }

  async invoke(
    id: string,
    request: Partial<InvokeRequest> | undefined,
    metadata: Values = {},
    options: grpc.CallOptions = {}
  ): Promise<Invoked> {
    const none = {method: '', typeUrl: '', value: new Uint8Array(0), contentType: '', verb: undefined, query: ''}
    const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string(id)
    if (request !== undefined) writer.tag(3, WireType.LengthDelimited).bytes(writeInvokeRequest({...none, ...request}))
    const outcome = await this.dapr('InvokeService', writer.finish(), metadata, options)
    return {...outcome, response: readInvokeResponse(Buffer.from(outcome.answer, 'latin1'))}
  }

  /** A unary call, whatever becomes of it. */
  async call(
    metadata: Values = {},
    {
      message = Buffer.from('hello'),
      path = ECHO.unary.path,
      options = {}
    }: {readonly message?: Buffer; readonly path?: string; readonly options?: grpc.CallOptions} = {}
  ): Promise<Outcome> {
    return new Promise(resolve => {
      let head = new grpc.Metadata()
      let outcome = {code: 0, message: '', answer: ''}
      const call = this.makeUnaryRequest(
        path,
        bytes,
        bytes,
        message,
        metadataOf(metadata),
        options,
        (error, answer) => {
          outcome = {code: error?.code ?? 0, message: error?.details ?? '', answer: answer?.toString('latin1') ?? ''}
        }
      )
      call.on('metadata', (told: grpc.Metadata) => (head = told))
      call.on('status', ({metadata: trailers}: grpc.StatusObject) =>
        setImmediate(() => resolve({...outcome, head, trailers}))
      )
    })
  }

  both(
    metadata: Readonly<Record<string, string>> = {},
    path = ECHO.both.path
  ): grpc.ClientDuplexStream<Buffer, Buffer> {
    return this.makeBidiStreamRequest(path, bytes, bytes, metadataOf(metadata))
  }

  up(done: grpc.requestCallback<Buffer>): grpc.ClientWritableStream<Buffer> {
    return this.makeClientStreamRequest(ECHO.up.path, bytes, bytes, metadataOf({}), {}, done)
  }

  down(): grpc.ClientReadableStream<Buffer> {
    return this.makeServerStreamRequest(ECHO.down.path, bytes, bytes, Buffer.from('x'), metadataOf({}))
  }
}

type Values = Readonly<Record<string, string | Buffer | string[]>>

const metadataOf = (values: Values): grpc.Metadata => {
  const metadata = new grpc.Metadata()
  for (const [name, value] of Object.entries<Values[string]>({'dapr-app-id': 'b', ...values}))
    for (const each of Array.isArray(value) ? value : [value]) metadata.add(name, each)
  if (values['dapr-app-id'] === '-') metadata.remove('dapr-app-id')
  return metadata
}
