/** Keys that expire. */
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

const MAX_DELAY_MS = 2 ** 31 - 1
/** Up to this many entries, outdated ones are left in the heap. */
const MIN_FULL = 1024

/** One timer for the keys of all databases that expire. Its heap may hold outdated times; they are dropped when they come up. */
export class ExpiryTimer {
  #heap: Expiry[] = []
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
    this.#push({database, key, at})
    if (this.#heap.length > this.#full) this.#rebuild()
    this.#arm()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#heap = []
    this.#armedFor = Infinity
  }

  #arm(): void {
    const next = this.#heap[0]?.at ?? Infinity
    if (next === this.#armedFor) return
    clearTimeout(this.#timer)
    this.#armedFor = next
    if (next === Infinity) return
    const delay = Math.min(Math.max(next - Date.now(), 0), MAX_DELAY_MS)
    this.#timer = setTimeout(() => this.#fire(), delay).unref()
  }

  #fire(): void {
    this.#armedFor = Infinity
    const now = Date.now()
    for (let top = this.#heap[0]; top !== undefined && top.at <= now; top = this.#heap[0]) {
      this.#pop()
      if (top.database.expiresAt(top.key) === top.at) top.database.expire(top.key)
    }
    this.#arm()
    this.#afterwards()
  }

  /** One for each key is left, in order. */
  #rebuild(): void {
    const seen = new Map<ExpiringKeys, Set<string>>()
    const valid = this.#heap.filter(({database, key, at}) => {
      if (database.expiresAt(key) !== at) return false
      const keys = seen.get(database) ?? new Set()
      seen.set(database, keys)
      return keys.size !== keys.add(key).size
    })
    this.#heap = valid.toSorted((a, b) => a.at - b.at)
    this.#full = Math.max(MIN_FULL, 4 * valid.length)
  }

  #push(expiry: Expiry): void {
    const heap = this.#heap
    let at = heap.push(expiry) - 1
    while (at > 0) {
      const up = (at - 1) >>> 1
      const parent = heap[up]
      if (parent === undefined || parent.at <= expiry.at) break
      heap[at] = parent
      at = up
    }
    heap[at] = expiry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if ((heap[down + 1]?.at ?? Infinity) < (heap[down]?.at ?? Infinity)) down++
      const child = heap[down]
      if (child === undefined || child.at >= last.at) break
      heap[at] = child
      at = down
    }
    heap[at] = last
  }
}
