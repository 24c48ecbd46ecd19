import {constants, createCipheriv, createDecipheriv, privateDecrypt, publicEncrypt, type KeyObject} from 'node:crypto'
import {because} from '../properties.ts'
import type {CryptoProvider, WrapAlgorithm} from './types.ts'
import type {OwnKey} from './parse-key.ts'

/** The first block of wrapped keys (RFC 3394, 2.2.3.1). */
const INITIAL_VALUE = Buffer.alloc(8, 0xa6)

const PADDING = {padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256'} as const

type Direction = 'wrapKey' | 'unwrapKey'

/** Wraps and unwraps by the keys that are found by their names. */
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

/** Why a key is not for an algorithm; '' = it is. Dapr's own components have none of CBC. */
function whyNot(key: KeyObject, algorithm: WrapAlgorithm): string {
  if (algorithm !== 'A256KW' && algorithm !== 'RSA-OAEP-256') return 'unsupported algorithm'
  const fits = algorithm === 'A256KW' ? key.symmetricKeySize === 32 : key.asymmetricKeyType === 'rsa'
  return fits ? '' : 'key type mismatch'
}
