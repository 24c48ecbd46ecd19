import type {Admit} from './admission.ts'
import {unescapePath} from './go-path.ts'
import {textOf} from './go-text.ts'
import {isToken} from './guard.ts'
import {introduction, type Identity} from './identity.ts'
import type {Door} from './invocation.ts'

/** The field in which one run's door says to another's for whom it speaks: `<the other run's key>/<namespace>/<app id>`. */
export const CALLER_FIELD = 'Pillion-Caller'

/** The line with which a run introduces its app at the door that `key` belongs to. */
export const callerLine = (key: string, caller: string, namespace: string): string =>
  `${CALLER_FIELD}: ${key}/${namespace}/${encodeURIComponent(caller)}\r\n`

/** Different callers that are remembered; each is one of another run's apps. */
const GUESTS_MOST = 1000

export interface HostDoor {
  readonly door: Door
  readonly identity: Identity
  /** Known to the user's other runs alone; '' = nobody may speak for others. */
  readonly key: string
}

/**
 * The callers of other runs at a door. Who knows the run's key may say for whom it speaks; who does not is the door's own
 * app, as everybody is at a door.
 */
export class Guests {
  readonly #host: HostDoor
  readonly #known = new Map<string, Door>()

  constructor(host: HostDoor) {
    this.#host = host
  }

  /** The door as it serves this caller; undefined: it was introduced by nobody. */
  doorFor(introduced: string): Door | undefined {
    if (introduced === '') return undefined
    const known = this.#known.get(introduced)
    if (known !== undefined) return known
    const [key = '', namespace = '', caller = ''] = introduced.split('/')
    if (this.#host.key === '' || !isToken(key, this.#host.key) || caller === '') return undefined
    if (this.#known.size >= GUESTS_MOST) this.#known.clear()
    const guest = new GuestDoor(this.#host, textOf(unescapePath(caller)), namespace)
    this.#known.set(introduced, guest)
    return guest
  }
}

/** A door that speaks for an app of another run. That app's own door has said where the call comes from: only names are added. */
class GuestDoor implements Door {
  readonly appId: string
  readonly #host: Door
  readonly #identity: Identity

  constructor({door, identity}: HostDoor, caller: string, namespace: string) {
    this.appId = caller
    this.#host = door
    this.#identity = {...identity, namespace}
  }

  get admit(): Admit {
    return this.#host.admit
  }

  get maxBodyBytes(): number {
    return this.#host.maxBodyBytes
  }

  get appToken(): string {
    return this.#host.appToken
  }

  get warn(): (text: string) => void {
    return this.#host.warn
  }

  get copierOf(): Door['copierOf'] {
    return this.#host.copierOf
  }

  introduce(callee: string): string {
    return introduction(this.#identity, this.appId, {callee, isLocal: true})
  }

  hold(bytes: number): boolean {
    return this.#host.hold(bytes)
  }

  release(bytes: number): void {
    this.#host.release(bytes)
  }
}
