import {createCipheriv, createDecipheriv, randomBytes, type CipherGCM, type DecipherGCM} from 'node:crypto'
import type {ComponentResource} from '../../../files/resources/components.ts'
import {ENCRYPTION_KEYS, encryptionKeyFault, isEncryptionKey} from '../../../files/resources/component-types.ts'
import type {Component} from '../component.ts'
import {ComponentFault, type Properties} from '../properties.ts'
import type {GetOptions, SetRequest, StateItem, StateStore} from '../state-store.ts'

const SEPARATOR = '||'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = [16, 24, 32]
/** Node would accept shorter tags, which are easier to forge. */
const WHOLE_TAG = {authTagLength: TAG_BYTES} as const

/** An encryption key, and the name of the secret that holds it. */
interface StateKey {
  readonly name: string
  readonly bytes: Buffer
}

const algorithmOf = ({bytes}: StateKey): 'aes-256-gcm' => `aes-${bytes.length * 8}-gcm` as 'aes-256-gcm'

/** Returns a function that encrypts a state store; undefined: it has no key for writing. Throws a ComponentFault. */
export function encryptedBy(
  resource: ComponentResource,
  properties: Properties
): ((store: Component) => StateStore) | undefined {
  const [primary, ...others] = keysOf(resource, properties)
  // the loader of a state store returns one
  return primary && (store => new EncryptedState(store as StateStore, resource.name, [primary, ...others]))
}

/** Returns the key for writing, then the further key for reading. */
function keysOf({properties: written, secretStore}: ComponentResource, properties: Properties): StateKey[] {
  return ENCRYPTION_KEYS.flatMap(name => {
    const property = written.findLast(each => isEncryptionKey(each) && each.name.toLowerCase() === name.toLowerCase())
    if (property === undefined) return []
    const fail = (why: string): never => {
      throw new ComponentFault(`failed to extract encryption key: ${why}`, property.place)
    }
    const fault = encryptionKeyFault(property, secretStore)
    if (fault !== '') throw new ComponentFault(fault, property.place)
    const text = properties.text(name)
    const secret = property.secret?.name ?? ''
    if (text === '') fail(`encryption key cannot be empty (the secret ${secret})`)
    const bytes = Buffer.from(text, 'hex')
    if (bytes.length * 2 !== text.length || !KEY_BYTES.includes(bytes.length))
      fail(`the secret ${secret} must be 16, 24 or 32 bytes in hex, such as "openssl rand -hex 32" writes`)
    return {name: secret, bytes}
  })
}

/** A state store whose values are encrypted: base64 of nonce, data and tag, and the name of the key (Dapr: pkg/encryption). */
class EncryptedState implements StateStore {
  readonly capabilities: Component['capabilities']
  readonly #store: StateStore
  readonly #name: string
  readonly #keys: readonly StateKey[]
  readonly #primary: StateKey

  /** `name`: of the component, for errors. The store is closed where it was opened. */
  constructor(store: StateStore, name: string, keys: readonly [StateKey, ...StateKey[]]) {
    this.#store = store
    this.#name = name
    this.#keys = keys
    this.#primary = keys[0]
    this.capabilities = store.capabilities
  }

  get queryFault(): string | undefined {
    return this.#store.queryFault
  }

  async get(key: string, options: GetOptions): Promise<StateItem | undefined> {
    const item = await this.#store.get(key, options)
    return item && {...item, data: this.#opened(item.data)}
  }

  get keys(): StateStore['keys'] {
    return this.#store.keys?.bind(this.#store)
  }

  readonly set = async (request: SetRequest): Promise<void> => this.#store.set(this.#sealed(request))
  readonly delete: StateStore['delete'] = async request => this.#store.delete(request)

  async transact(operations: Parameters<StateStore['transact']>[0]): Promise<void> {
    return this.#store.transact(
      operations.map(each => (each.kind === 'upsert' ? {...each, request: this.#sealed(each.request)} : each))
    )
  }

  #sealed(request: SetRequest): SetRequest {
    const nonce = randomBytes(NONCE_BYTES)
    const {name, bytes} = this.#primary
    const cipher: CipherGCM = createCipheriv(algorithmOf(this.#primary), bytes, nonce, WHOLE_TAG)
    const sealed = Buffer.concat([nonce, cipher.update(request.value), cipher.final(), cipher.getAuthTag()])
    return {...request, value: Buffer.from(sealed.toString('base64') + SEPARATOR + name), isJson: false}
  }

  #opened(value: Buffer): Buffer {
    if (value.length === 0) return value
    const text = value.toString()
    const at = text.lastIndexOf(SEPARATOR)
    const fail = (why: string): Error => new Error(`could not decrypt data for state store ${this.#name}: ${why}`)
    if (at < 0 || at + SEPARATOR.length === text.length)
      throw fail(
        'encryption key name not found on record (it was saved before the store had a key: save it again, or remove it)'
      )
    const name = text.slice(at + SEPARATOR.length)
    const key = this.#keys.find(each => each.name === name)
    if (key === undefined)
      throw fail(`it was encrypted with "${name}", which is neither primaryEncryptionKey nor secondaryEncryptionKey`)
    const sealed = Buffer.from(text.slice(0, at), 'base64')
    try {
      const decipher: DecipherGCM = createDecipheriv(
        algorithmOf(key),
        key.bytes,
        sealed.subarray(0, NONCE_BYTES),
        WHOLE_TAG
      )
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
    } catch (error) {
      throw Object.assign(fail('cipher: message authentication failed'), {cause: error})
    }
  }
}
