import {randomBytes} from 'node:crypto'
import {MEMORY_CAPABILITIES} from '../../../files/resources/component-types.ts'
import type {OpenComponent} from '../component.ts'
import {checkEtag, TransactedState, ttlOf, type SetRequest, type StateItem} from '../state-store.ts'
import type {StateOperation, StateStore} from '../state-store.ts'

interface Kept {
  readonly data: Buffer
  readonly etag: string
  /** The expiry, in ms since 1970; Infinity: never. */
  readonly expiresAt: number
}

/** `state.in-memory`: ends with the run (components-contrib: state/in-memory). */
export const open: OpenComponent<StateStore> = async () => new InMemoryState(() => Date.now())

/** Number of writes between two removals of expired items. */
const SWEEP_EVERY = 1000
/** The last moment that a Date can hold, in ms since 1970. */
const LAST_MS = 8.64e15

export class InMemoryState extends TransactedState implements StateStore {
  readonly capabilities = MEMORY_CAPABILITIES
  readonly #items = new Map<string, Kept>()
  readonly #now: () => number
  readonly #series = randomBytes(6).toString('hex')
  #writes = 0

  constructor(now: () => number) {
    super()
    this.#now = now
  }

  async get(key: string): Promise<StateItem | undefined> {
    const item = this.#find(key)
    if (item === undefined) return undefined
    const {data, etag, expiresAt} = item
    return {data, etag, metadata: expiresAt === Infinity ? {} : {ttlExpireTime: rfc3339(expiresAt)}}
  }

  async keys(prefix: string, limit: number): Promise<readonly string[]> {
    const found = [...this.#items.keys()].filter(key => key.startsWith(prefix) && this.#find(key) !== undefined)
    return found.slice(0, limit)
  }

  async transact(operations: readonly StateOperation[]): Promise<void> {
    const ttls = operations.map(ttlOf)
    for (const each of operations) checkEtag(each, this.#find(each.request.key)?.etag)
    for (const [at, operation] of operations.entries()) {
      if (operation.kind === 'upsert') this.#put(operation.request, ttls[at])
      else this.#items.delete(operation.request.key)
    }
  }

  async close(): Promise<void> {
    this.#items.clear()
  }

  #find(key: string): Kept | undefined {
    const item = this.#items.get(key)
    if (item === undefined || item.expiresAt > this.#now()) return item
    this.#items.delete(key)
    return undefined
  }

  #put({key, value}: SetRequest, ttl: number | undefined): void {
    const end = ttl === undefined || ttl <= 0 ? Infinity : this.#now() + ttl * 1000
    const expiresAt = end > LAST_MS ? Infinity : end
    this.#items.set(key, {data: value, etag: `${this.#series}-${(++this.#writes).toString(36)}`, expiresAt})
    if (this.#writes % SWEEP_EVERY === 0) for (const each of this.#items.keys()) this.#find(each)
  }
}

/** Writes a time as Go does, in whole seconds. */
export const rfc3339 = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
