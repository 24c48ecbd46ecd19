import type {SecureContext} from 'node:tls'
import {readAuthority, temporaryAuthority, type Authority, type KeyPair} from '#trust'
import type {Environment} from '../model/environment.ts'
import {messageOf} from '../model/errors.ts'
import {identityAt} from '../platform/paths.ts'
import {certificatePath, stateFolder} from '../platform/state-folder.ts'

const DAY_MS = 86_400_000

/** Certificates of host names, signed by the user's current authority, or without one by an untrusted authority. */
export class NameCertificates {
  readonly #state: string
  readonly #warn: (text: string) => void
  readonly #made = new Map<string, SecureContext>()
  #authority: Authority | undefined
  #identity: string | undefined
  /** When the oldest certificate was made, in ms since 1970. */
  #since = 0

  constructor(env: Environment, warn: (text: string) => void) {
    this.#state = stateFolder(env)
    this.#warn = warn
  }

  /** Returns the certificate of a name with its key. */
  of(name: string): SecureContext {
    const authority = this.#current()
    const known = this.#made.get(name) ?? contextOf(authority.leaf(name))
    this.#made.set(name, known)
    return known
  }

  /** Reads the authority. After a change of it, or of the clock by a day, all certificates are made again. */
  #current(): Authority {
    const identity = identityAt(certificatePath(this.#state), 'ctimeMs')
    const isFresh = Math.abs(Date.now() - this.#since) < DAY_MS
    if (this.#authority !== undefined && identity === this.#identity && isFresh) return this.#authority
    this.#identity = identity
    this.#since = Date.now()
    this.#made.clear()
    try {
      this.#authority = readAuthority(this.#state)
    } catch (error) {
      this.#authority = undefined
      this.#warn(messageOf(error))
    }
    return (this.#authority ??= temporaryAuthority())
  }
}

const contextOf = ({certificate, key}: KeyPair): SecureContext =>
  process.getBuiltinModule('node:tls').createSecureContext({cert: certificate, key})
