import type {CRYPTOGRAPHY} from '../../../model/dapr/api/blocks.ts'
import * as messages from '../../../model/dapr/messages/crypto.generated.ts'
import type {Schema} from '../../../proxy/net/grpc/message-codec.ts'
import {decoded} from '../../../model/bytes.ts'
import {messageOf} from '../../../model/errors.ts'
import {isTruthy} from '../../../model/truthy.ts'
import {BlockError} from '../blocks/block-error.ts'
import type {Document} from '../blocks/cryptography.ts'
import {apiError} from '../http/errors.ts'
import {headerOf, readJson, type BlockHandler, type BlockRequest} from './block-request.ts'
import {grpc, type BlockOperation, type OperationsOf} from './operation.ts'

/** Returns the value of a header as Unicode: the name of a key may have any characters. */
const textOf = (request: BlockRequest, name: string): string => decoded(headerOf(request, name))

function required(request: BlockRequest, name: string): string {
  const value = textOf(request, name)
  if (value !== '') return value
  throw new BlockError([400, 'invalidArgument', 'ERR_BAD_REQUEST'], `invalid request: missing header '${name}'`)
}

async function* only(body: Buffer): AsyncGenerator<Buffer, void> {
  yield body
}

/** Reads the whole document before it responds, since the HTTP status has to report a failure in any part. */
async function answered(document: Document): ReturnType<BlockHandler> {
  const all: Uint8Array[] = []
  try {
    for await (const pieces of document) all.push(...pieces)
  } catch (error) {
    return apiError(500, 'ERROR', messageOf(error))
  }
  return {status: 200, type: 'application/octet-stream', body: '', bytes: Buffer.concat(all), lines: ''}
}

const encrypt: BlockHandler = async ({cryptography}, request) => {
  const found = await cryptography.find(request.params[0] ?? '', request.onGone)
  const keyName = required(request, 'dapr-key-name')
  const wanted = {
    keyName,
    algorithm: required(request, 'dapr-key-wrap-algorithm'),
    cipher: headerOf(request, 'dapr-data-encryption-cipher'),
    isNameless: isTruthy(headerOf(request, 'dapr-omit-decryption-key-name')),
    decryptionKeyName: textOf(request, 'dapr-decryption-key-name')
  }
  return answered(await cryptography.encrypt(found, wanted, only(request.body)))
}

const decrypt: BlockHandler = async ({cryptography}, request) => {
  const found = await cryptography.find(request.params[0] ?? '', request.onGone)
  return answered(await cryptography.decrypt(found, textOf(request, 'dapr-key-name'), only(request.body)))
}

/** Rejects as Dapr's releases do, which are built without these methods (pkg/api/http/subtlecrypto.go). */
const refuse = async (): Promise<never> => {
  throw new BlockError([501, 'unimplemented', 'ERR_API_UNIMPLEMENTED'], 'this API is currently not implemented')
}

const subtle = (request: Schema, reply: Schema): BlockOperation => ({
  grpc: grpc(request, reply, refuse),
  http: async (_, sent) => {
    readJson(sent)
    return refuse()
  }
})

/** Cryptography (Dapr: pkg/api/http/crypto.go, subtlecrypto.go, pkg/api/grpc/crypto.go). */
export const CRYPTOGRAPHY_OPERATIONS: OperationsOf<typeof CRYPTOGRAPHY> = {
  Encrypt: {
    http: encrypt,
    stream: async (stream, blocks) => (await import('../grpc/blocks/crypt.ts')).encryptStream(stream, blocks)
  },
  Decrypt: {
    http: decrypt,
    stream: async (stream, blocks) => (await import('../grpc/blocks/crypt.ts')).decryptStream(stream, blocks)
  },
  SubtleGetKey: subtle(messages.SubtleGetKeyRequest, messages.SubtleGetKeyResponse),
  SubtleEncrypt: subtle(messages.SubtleEncryptRequest, messages.SubtleEncryptResponse),
  SubtleDecrypt: subtle(messages.SubtleDecryptRequest, messages.SubtleDecryptResponse),
  SubtleWrapKey: subtle(messages.SubtleWrapKeyRequest, messages.SubtleWrapKeyResponse),
  SubtleUnwrapKey: subtle(messages.SubtleUnwrapKeyRequest, messages.SubtleUnwrapKeyResponse),
  SubtleSign: subtle(messages.SubtleSignRequest, messages.SubtleSignResponse),
  SubtleVerify: subtle(messages.SubtleVerifyRequest, messages.SubtleVerifyResponse)
}
