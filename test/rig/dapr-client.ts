import grpc from '@grpc/grpc-js'
import type {Test} from 'tap'
import {StartQueue} from './queue.ts'
import {decode, encode, type Message, type Schema} from '../../src/proxy/net/grpc/message-codec.ts'

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

/** An answer with the fields of its head. */
export interface AnswerWithHead<S extends Schema> extends Answer<S> {
  readonly head: Readonly<Record<string, unknown>>
}

/** A client of grpc-js for Dapr's API, with messages by their tables of fields. */
export class DaprClient extends grpc.Client {
  constructor(t: Test, port: number) {
    super(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
    t.teardown(() => this.close())
  }

  async call<Q extends Schema, A extends Schema = typeof NONE>(
    name: string,
    request: readonly [Q, Partial<Message<Q>>],
    answers?: A,
    metadata: Readonly<Record<string, string>> = {}
  ): Promise<Answer<A>> {
    const {head: _, ...answer} = await this.callWithHead(name, request, answers, metadata)
    return answer
  }

  async callWithHead<Q extends Schema, A extends Schema = typeof NONE>(
    name: string,
    [schema, message]: readonly [Q, Partial<Message<Q>>],
    answers?: A,
    metadata: Readonly<Record<string, string>> = {}
  ): Promise<AnswerWithHead<A>> {
    let head: Readonly<Record<string, unknown>> = {}
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
            answer: bytes === undefined ? undefined : decode(answers ?? (NONE as unknown as A), bytes),
            head
          })
        }
      ).on('metadata', fields => void (head = fields.getMap()))
    )
  }

  /** A stream of messages both ways. */
  stream<Q extends Schema, A extends Schema>(
    name: string,
    schemas: {readonly sent: Q; readonly told: A},
    metadata: Readonly<Record<string, string>> = {}
  ): DaprStream<Q, A> {
    return new DaprStream(this.makeBidiStreamRequest(PATH + name, same, same, metadataOf(metadata)), schemas)
  }
}

/** How a stream has ended. */
interface Ended {
  readonly code: number
  readonly message: string
}

export class DaprStream<Q extends Schema, A extends Schema> {
  readonly call: grpc.ClientDuplexStream<Buffer, Buffer>
  readonly #sent: Q
  readonly #told = new StartQueue<Message<A> | Ended>()

  constructor(call: grpc.ClientDuplexStream<Buffer, Buffer>, {sent, told}: {readonly sent: Q; readonly told: A}) {
    this.call = call
    this.#sent = sent
    call.on('data', (bytes: Buffer) => this.#told.put(decode(told, bytes)))
    call.on('error', () => undefined)
    call.on('status', ({code, details}: grpc.StatusObject) => this.#told.put({code, message: details}))
  }

  send(message: Partial<Message<Q>>): void {
    this.call.write(Buffer.from(encode(this.#sent, message)))
  }

  /** The next message, or how it has ended. */
  async next(): Promise<Message<A> | Ended> {
    return this.#told.take()
  }
}

function metadataOf(values: Readonly<Record<string, string>>): grpc.Metadata {
  const metadata = new grpc.Metadata()
  for (const [name, value] of Object.entries(values)) metadata.set(name, value)
  return metadata
}
