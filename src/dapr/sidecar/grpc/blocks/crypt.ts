import {BinaryWriter, WireType} from '@bufbuild/protobuf/wire'
import {
  DecryptRequest,
  DecryptRequestOptions,
  EncryptRequest,
  EncryptRequestOptions
} from '../../../../model/dapr/messages/crypto.generated.ts'
import {StreamPayload} from '../../../../model/dapr/messages/common.generated.ts'
import {messageOf} from '../../../../model/errors.ts'
import {collectPieces} from '../../../../platform/heap.ts'
import {within} from '../../../../platform/delay.ts'
import {decode, encode, type Message} from '../../../../proxy/net/grpc/message-codec.ts'
import {OK, type GrpcStatus} from '../../../../proxy/net/grpc/status.ts'
import {BlockError, daprError} from '../../blocks/block-error.ts'
import type {Blocks} from '../../blocks/blocks.ts'
import type {Document} from '../../blocks/cryptography.ts'
import type {Scattered} from '../../documents/pieces.ts'
import type {ServerStream} from '../server-stream.ts'

/** Maximum wait for the first message, in ms (Dapr: pkg/api/grpc/crypto.go). */
const FIRST_MS = 5000

const refused = daprError([400, 'invalidArgument', 'ERR_BAD_REQUEST'], 'invalid request: ')
const broken = daprError([500, 'internal', 'ERR_CRYPTO'], 'failed to perform operation: ')

export async function encryptStream(stream: ServerStream, {cryptography}: Blocks): Promise<GrpcStatus> {
  const first = decode(EncryptRequest, await firstOf(stream))
  const {componentName, keyName, keyWrapAlgorithm, ...options} = optionsOf<typeof EncryptRequestOptions>(first)
  if (componentName === '') throw refused('missing component name')
  if (keyName === '') throw refused("missing property 'keyName' in the options message")
  if (keyWrapAlgorithm === '') throw refused("missing property 'keyWrapAlgorithm' in the options message")
  const found = await cryptography.find(componentName, stream.onGone)
  const wanted = {
    keyName,
    algorithm: keyWrapAlgorithm,
    cipher: options.dataEncryptionCipher,
    isNameless: options.omitDecryptionKeyName,
    decryptionKeyName: options.decryptionKeyName
  }
  const source = payloadsOf(stream, first, message => decode(EncryptRequest, message))
  return sendAll(stream, await cryptography.encrypt(found, wanted, source))
}

export async function decryptStream(stream: ServerStream, {cryptography}: Blocks): Promise<GrpcStatus> {
  const first = decode(DecryptRequest, await firstOf(stream))
  const {componentName, keyName} = optionsOf<typeof DecryptRequestOptions>(first)
  if (componentName === '') throw refused('missing component name')
  const found = await cryptography.find(componentName, stream.onGone)
  const source = payloadsOf(stream, first, message => decode(DecryptRequest, message))
  return sendAll(stream, await cryptography.decrypt(found, keyName, source))
}

async function firstOf(stream: ServerStream): Promise<Buffer> {
  stream.expectLarge()
  const first = await within(
    FIRST_MS,
    stream.next().then(message => ({message}))
  )
  if (first === undefined) throw refused('error waiting for first message: context deadline exceeded')
  if (first.message === undefined) throw broken('error receiving the first message: EOF')
  return first.message
}

interface Sent {
  readonly options: unknown
  readonly payload: {readonly data: Uint8Array; readonly seq: bigint} | undefined
}

function optionsOf<S extends typeof EncryptRequestOptions | typeof DecryptRequestOptions>({options}: Sent): Message<S> {
  if (options === undefined) throw refused('first message does not contain the required options')
  return options as Message<S>
}

/** Yields the data of the messages. Throws if a sequence number is not the next one. */
async function* payloadsOf(
  stream: ServerStream,
  first: Sent,
  read: (message: Buffer) => Sent
): AsyncGenerator<Uint8Array, void> {
  let expected = 0n
  for (let sent: Sent = first; ;) {
    const {payload} = sent
    if (payload !== undefined) {
      if (payload.seq !== expected)
        throw new Error(`invalid sequence number received: ${payload.seq} (expected: ${expected})`)
      expected++
      yield payload.data
    }
    const message = await stream.next()
    if (message === undefined) return
    sent = read(message)
    if (sent.options !== undefined) throw new Error('options found in non-leading message')
  }
}

const NUMBER = {seq: StreamPayload.seq} as const
const writer = new BinaryWriter()

/** Encodes an EncryptResponse or DecryptResponse in pieces, so that its large data are not copied. */
function answerPieces(pieces: Scattered, bytes: number, seq: bigint): readonly Uint8Array[] {
  const before = writer.tag(1, WireType.LengthDelimited).uint32(bytes).finish()
  const behind = encode(NUMBER, {seq})
  const size = before.length + bytes + behind.length
  return [writer.tag(1, WireType.LengthDelimited).uint32(size).finish(), before, ...pieces, behind]
}

/** Sends a document as fast as the caller reads it. */
async function sendAll(stream: ServerStream, document: Document): Promise<GrpcStatus> {
  let seq = 0n
  try {
    for await (const pieces of document) {
      const bytes = pieces.reduce((sum, {length}) => sum + length, 0)
      stream.send(...answerPieces(pieces, bytes, seq++))
      collectPieces(bytes)
      await stream.room()
      if (stream.ended.aborted) break
    }
  } catch (error) {
    throw error instanceof BlockError ? error : broken(messageOf(error))
  }
  return {code: OK, message: ''}
}
