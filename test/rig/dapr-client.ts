import grpc from '@grpc/grpc-js'
import type {Test} from 'tap'
import {decode, encode, type Message, type Schema} from '../../src/net/grpc/message-codec.ts'

const PATH = '/dapr.proto.runtime.v1.Dapr/'
const NONE = {} as const

const same = (bytes: Buffer): Buffer => bytes

export interface Answer<S extends Schema> {
  readonly code: number
  /** Of a call that failed. */
  readonly message: string
  /** `google.rpc.Status` as it came. */
  readonly details: string
  readonly answer: Message<S> | undefined
}

/** A client of grpc-js for Dapr's API, with messages by their tables of fields. */
export class DaprClient extends grpc.Client {
  constructor(t: Test, port: number) {
    super(`127.0.0.1:${port.toString()}`, grpc.credentials.createInsecure())
    t.teardown(() => this.close())
  }

  async call<Q extends Schema, A extends Schema = typeof NONE>(
    name: string,
    [schema, message]: readonly [Q, Partial<Message<Q>>],
    answers?: A,
    metadata: Readonly<Record<string, string>> = {}
  ): Promise<Answer<A>> {
    return new Promise(resolve =>
      this.makeUnaryRequest(
        PATH + name,
        same,
        same,
        Buffer.from(encode(schema, message)),
        metadataOf(metadata),
        (error, bytes) => {
          const details = error?.metadata.get('grpc-status-details-bin')[0]
          resolve({
            code: error?.code ?? 0,
            message: error?.details ?? '',
            details: details === undefined ? '' : details.toString(),
            answer: bytes === undefined ? undefined : decode(answers ?? (NONE as unknown as A), bytes)
          })
        }
      )
    )
  }

  /** A stream, for messages as bytes. */
  stream(name: string, metadata: Readonly<Record<string, string>> = {}): grpc.ClientDuplexStream<Buffer, Buffer> {
    return this.makeBidiStreamRequest(PATH + name, same, same, metadataOf(metadata))
  }
}

function metadataOf(values: Readonly<Record<string, string>>): grpc.Metadata {
  const metadata = new grpc.Metadata()
  for (const [name, value] of Object.entries(values)) metadata.set(name, value)
  return metadata
}
