import {TimeHeap} from '../../../model/time-heap.ts'

interface ExpiringKeys {
  /** Milliseconds since 1970; undefined: the key does not expire. */
  expiresAt(key: string): number | undefined
  expire(key: string): void
}

interface Expiry {
  readonly database: ExpiringKeys
  readonly key: string
  readonly at: number
}

/** Maximum time between two checks of the clock, in ms: the machine may have slept, or its clock was set. */
const LOOK_MS = 10_000
/** Maximum number of keys to expire in one turn of the event loop. */
const MANY = 5000
/** Number of entries up to which outdated ones stay in the heap. */
const MIN_FULL = 1024

/** Timer for the expiring keys of all databases. Its heap may have outdated times, which are dropped at their turn. */
export class ExpiryTimer {
  #heap = new TimeHeap<Expiry>()
  /** Number of entries above which outdated ones are dropped. */
  #full = MIN_FULL
  #timer: NodeJS.Timeout | undefined
  #armedFor = Infinity
  readonly #afterwards: () => void

  /** `afterwards` is called when keys have expired. */
  constructor(afterwards: () => void) {
    this.#afterwards = afterwards
  }

  add(database: ExpiringKeys, key: string, at: number): void {
    this.#heap.push({database, key, at})
    if (this.#heap.size > this.#full) this.#rebuild()
    this.#arm()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#heap = new TimeHeap()
    this.#armedFor = Infinity
  }

  #arm(): void {
    const next = this.#heap.first?.at ?? Infinity
    if (next === this.#armedFor) return
    clearTimeout(this.#timer)
    this.#armedFor = next
    if (next === Infinity) return
    const delay = Math.min(Math.max(next - Date.now(), 0), LOOK_MS)
    this.#timer = setTimeout(() => this.#fire(), delay).unref()
  }

  #fire(): void {
    this.#armedFor = Infinity
    const now = Date.now()
    let left = MANY
    for (let top = this.#heap.first; top !== undefined && top.at <= now && left-- > 0; top = this.#heap.first) {
      this.#heap.removeFirst()
      if (top.database.expiresAt(top.key) === top.at) top.database.expire(top.key)
    }
    this.#arm()
    this.#afterwards()
  }

  /** Rebuilds the heap with one entry for each key, in order. */
  #rebuild(): void {
    const seen = new Map<ExpiringKeys, Set<string>>()
    this.#heap.keep(({database, key, at}) => {
      if (database.expiresAt(key) !== at) return false
      const keys = seen.get(database) ?? new Set()
      seen.set(database, keys)
      return keys.size !== keys.add(key).size
    })
    this.#full = Math.max(MIN_FULL, 4 * this.#heap.size)
  }
}
