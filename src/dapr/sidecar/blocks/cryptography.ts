import {randomBytes} from 'node:crypto'
import {because} from '../../components/properties.ts'
import type {CryptoProvider, NamedKey, WrapAlgorithm} from '../../components/crypto-provider.ts'
import {messageOf} from '../../../model/errors.ts'
import type {OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {isSignedBy, readHead, writeHead, type ReadHead, type SegmentCipher} from '../documents/head.ts'
import {PieceReader, type Pieces, type Scattered} from '../documents/pieces.ts'
import {decryptSegments, encryptSegments} from '../documents/segments.ts'
import {BlockError, daprError} from './block-error.ts'
import {AppBlock} from './block-context.ts'
import {ownOf} from '../../../model/own.ts'

const WRAP_ALGORITHMS: Readonly<Record<string, WrapAlgorithm>> = {
  AES: 'A256KW',
  RSA: 'RSA-OAEP-256',
  A256KW: 'A256KW',
  'A128CBC-NOPAD': 'A128CBC-NOPAD',
  'A192CBC-NOPAD': 'A192CBC-NOPAD',
  'A256CBC-NOPAD': 'A256CBC-NOPAD',
  'RSA-OAEP-256': 'RSA-OAEP-256'
}

const CIPHERS: Readonly<Record<string, SegmentCipher>> = {
  '': 'aes-256-gcm',
  'AES-GCM': 'aes-256-gcm',
  'CHACHA20-POLY1305': 'chacha20-poly1305'
}

const KEY_BYTES = 32

/** Options of an encryption, as the caller wrote them. */
export interface EncryptRequest {
  readonly keyName: string
  readonly algorithm: string
  /** Cipher of the document; '': AES-GCM. */
  readonly cipher: string
  /** The name of the key that the document names; '': `keyName`. */
  readonly decryptionKeyName: string
  /** Whether the document names no key. */
  readonly isNameless: boolean
}

/** The component of a call, and the call's caller. */
interface FoundProvider {
  readonly name: string
  readonly provider: CryptoProvider
  readonly onGone: OnGone | undefined
}

/** An encrypted document, or its plain text, in pieces, since documents are large. */
export type Document = AsyncIterable<Scattered>

const failed = (error: unknown): BlockError =>
  error instanceof BlockError
    ? error
    : new BlockError([500, 'internal', 'ERR_CRYPTO'], `failed to perform operation: ${messageOf(error)}`)

/** Encrypts and decrypts documents with keys that the app never sees (Dapr: pkg/api/universal/crypto.go). */
export class Cryptography extends AppBlock {
  /** Finds a crypto component. Rejects with Dapr's error and Pillion's reason. */
  async find(name: string, onGone?: OnGone): Promise<FoundProvider> {
    const {component: provider} = await this.context.component('crypto', name, {
      none: daprError([500, 'internal', 'ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED'], 'crypto providers not configured'),
      unknown: daprError([400, 'invalidArgument', 'ERR_CRYPTO_PROVIDER_NOT_FOUND'], `crypto provider ${name} not found`)
    })
    return {name, provider, onGone}
  }

  /** Encrypts a document. Yields its head, then its segments. After this resolves, only reading the source can fail. */
  async encrypt(found: FoundProvider, request: EncryptRequest, source: Pieces): Promise<Document> {
    try {
      const {algorithm: word, cipher: kind, keyName, isNameless, decryptionKeyName} = request
      const algorithm = ownOf(WRAP_ALGORITHMS, word.toUpperCase())
      if (algorithm === undefined) throw new Error(`option Algorithm is not valid: algorithm ${word} is not supported`)
      const cipher = ownOf(CIPHERS, kind.toUpperCase())
      if (cipher === undefined) throw new Error(`option Cipher is not valid: cipher ${kind} is not supported`)
      const fileKey = randomBytes(KEY_BYTES)
      const wrappedKey = await this.#wrapped(found, fileKey, {name: keyName, algorithm})
      const named = isNameless ? '' : decryptionKeyName || keyName
      const manifest = {keyName: named, algorithm, wrappedKey, cipher, noncePrefix: randomBytes(7)}
      return withHead(writeHead(manifest, fileKey), encryptSegments(new PieceReader(source), manifest, fileKey))
    } catch (error) {
      throw failed(error)
    }
  }

  /** Decrypts a document. `keyName` '': the key that the document names. After this resolves, only reading or a faulty segment can fail. */
  async decrypt(found: FoundProvider, keyName: string, source: Pieces): Promise<Document> {
    const reader = new PieceReader(source)
    try {
      const head = await readHead(reader)
      const name = keyName || head.manifest.keyName
      if (name === '') throw new Error("document's manifest does not contain a key name, and no key name was provided")
      const fileKey = await this.#fileKey(found, head, name)
      if (!isSignedBy(head, fileKey)) throw new Error("failed to validate the document's signature")
      return decryptSegments(reader, head.manifest, fileKey)
    } catch (error) {
      await reader.end()
      throw failed(error)
    }
  }

  async #wrapped({name, provider, onGone}: FoundProvider, fileKey: Buffer, by: NamedKey): Promise<Buffer> {
    const call = {block: 'crypto', name, operation: 'crypto_op', onGone} as const
    const wrapped = this.context.outbound(call, async () => provider.wrap(fileKey, by))
    return wrapped.catch(because('failed to wrap the file key'))
  }

  /**
   * Returns the key of the document's segments. If it cannot be unwrapped, returns a random key: then the signature check fails, and
   * callers cannot distinguish a wrong key from a changed head. With a fixed key anybody could forge documents.
   */
  async #fileKey({name, provider, onGone}: FoundProvider, {manifest}: ReadHead, keyName: string): Promise<Buffer> {
    const {algorithm, wrappedKey} = manifest
    try {
      const key = await this.context.outbound({block: 'crypto', name, operation: 'crypto_op', onGone}, async () =>
        provider.unwrap(wrappedKey, {name: keyName, algorithm})
      )
      return key.length === KEY_BYTES ? key : randomBytes(KEY_BYTES)
    } catch {
      return randomBytes(KEY_BYTES)
    }
  }
}

async function* withHead(head: Buffer, segments: Document): AsyncGenerator<Scattered, void> {
  yield [head]
  yield* segments
}
