import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  type webcrypto,
  constants,
  createCipheriv,
  createDecipheriv,
  privateDecrypt,
  publicEncrypt
} from 'node:crypto'
import {parseSecret} from '../../../model/exact-json.ts'
import {because} from '../properties.ts'
import type {CryptoProvider, WrapAlgorithm} from '../crypto-provider.ts'

/** A key and its allowed uses. */
export interface OwnKey {
  readonly key: KeyObject
  /** Allowed operations by `key_ops`, `use` and `alg` of a JWK; empty: all. */
  readonly operations: readonly string[]
  readonly use: string
  readonly algorithm: string
}

/** The format of a key file, by its name. */
export type KeyForm = 'jwk' | 'pem' | 'unknown'

const SYMMETRIC_SIZES = [16, 24, 32]

const free = (key: KeyObject): OwnKey => ({key, operations: [], use: '', algorithm: ''})

/** Parses a key file: PEM, a JWK, or the bytes of a symmetric key. Throws for an invalid key (Dapr: kit/crypto, ParseKey). */
export function parseKey(bytes: Buffer, form: KeyForm): OwnKey {
  const isJson = bytes[0] === 0x7b && !SYMMETRIC_SIZES.includes(bytes.length)
  if (form === 'jwk' || (form === 'unknown' && isJson)) return keyOfJwk(parseSecret(bytes.toString()))
  if (form === 'pem' || bytes.subarray(0, 5).toString() === '-----') return free(keyOfPem(bytes))
  return free(createSecretKey(symmetricBytes(bytes)))
}

/** Decodes a text of base64 characters; returns any other bytes as the key itself. */
function symmetricBytes(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').replace(/[=\r\n]+$/, '')
  const isBase64 = text.length % 4 !== 1 && (/^[A-Za-z0-9+/]+$/.test(text) || /^[A-Za-z0-9_-]+$/.test(text))
  return isBase64 ? Buffer.from(text, 'base64') : bytes
}

function keyOfPem(bytes: Buffer): KeyObject {
  const isPrivate = bytes.includes('PRIVATE KEY-----')
  return isPrivate ? createPrivateKey({key: bytes, format: 'pem'}) : createPublicKey({key: bytes, format: 'pem'})
}

/** Parses a key of a JSON Web Key (RFC 7517). Throws for an invalid one. */
export function keyOfJwk(value: unknown): OwnKey {
  if (typeof value !== 'object' || value === null) throw new Error('it is no JWK')
  const jwk = value as webcrypto.JsonWebKey & Readonly<Record<'key_ops' | 'use' | 'alg', unknown>>
  const {key_ops: operations, use, alg} = jwk
  return {
    key: keyObjectOf(jwk),
    operations: Array.isArray(operations) ? operations.filter(each => typeof each === 'string') : [],
    use: typeof use === 'string' ? use : '',
    algorithm: typeof alg === 'string' ? alg : ''
  }
}

function keyObjectOf(jwk: webcrypto.JsonWebKey): KeyObject {
  if (jwk.kty === 'oct') return createSecretKey(Buffer.from(jwk.k ?? '', 'base64url'))
  return jwk.d === undefined ? createPublicKey({key: jwk, format: 'jwk'}) : createPrivateKey({key: jwk, format: 'jwk'})
}

/** The first block of wrapped keys (RFC 3394, 2.2.3.1). */
const INITIAL_VALUE = Buffer.alloc(8, 0xa6)

const PADDING = {padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256'} as const

type Direction = 'wrapKey' | 'unwrapKey'

/** Returns the functions of a crypto provider whose keys `find` returns by their names. */
export const wrapBy = (find: (name: string) => Promise<OwnKey>): Pick<CryptoProvider, 'wrap' | 'unwrap'> => {
  const keyFor = async (name: string, algorithm: WrapAlgorithm, direction: Direction): Promise<KeyObject> => {
    const found = await find(name).catch(because('failed to retrieve the key encryption key'))
    const {key, operations, use, algorithm: only} = found
    if ((use !== '' && use !== 'enc') || (operations.length > 0 && !operations.includes(direction)))
      throw new Error(`key cannot perform the '${direction}' operation`)
    if (only !== '' && only !== algorithm) throw new Error(`key cannot be used with algorithm '${algorithm}'`)
    const why = whyNot(key, algorithm)
    if (why !== '') throw new Error(`failed to ${direction === 'wrapKey' ? 'encrypt' : 'decrypt'} data: ${why}`)
    return key
  }
  return {
    wrap: async (bytes, {name, algorithm}) => {
      const key = await keyFor(name, algorithm, 'wrapKey')
      if (algorithm === 'RSA-OAEP-256') return publicEncrypt({key, ...PADDING}, bytes)
      const cipher = createCipheriv('id-aes256-wrap', key, INITIAL_VALUE)
      return Buffer.concat([cipher.update(bytes), cipher.final()])
    },
    unwrap: async (bytes, {name, algorithm}) => {
      const key = await keyFor(name, algorithm, 'unwrapKey')
      if (algorithm === 'RSA-OAEP-256') return privateDecrypt({key, ...PADDING}, bytes)
      const decipher = createDecipheriv('id-aes256-wrap', key, INITIAL_VALUE)
      return Buffer.concat([decipher.update(bytes), decipher.final()])
    }
  }
}

/** Explains why a key does not fit an algorithm; '': it fits. Dapr's components do not support CBC either. */
function whyNot(key: KeyObject, algorithm: WrapAlgorithm): string {
  if (algorithm !== 'A256KW' && algorithm !== 'RSA-OAEP-256') return 'unsupported algorithm'
  const fits = algorithm === 'A256KW' ? key.symmetricKeySize === 32 : key.asymmetricKeyType === 'rsa'
  return fits ? '' : 'key type mismatch'
}
