/** What a caller hears of a request. `missing`: there is no such store. */
export type Outcome = 'ok' | 'mismatch' | 'invalid' | 'failed' | 'missing'

/** The sorts of stores, which differ as they do in Dapr. */
export type Sort = 'memory' | 'sqlite' | 'redis'

export interface Change {
  readonly kind: 'upsert' | 'delete'
  readonly key: string
  /** As text of Latin 1; '' = it is deleted. */
  readonly value: string
  readonly etag: string
  readonly isFirst: boolean
  readonly isLast: boolean
  /** Seconds; undefined: it says nothing. */
  readonly ttl: number | undefined
}

interface Item {
  readonly value: string
  /** Which write of the key it is of: Redis counts them. */
  readonly version: number
  readonly expiresAt: number
  /** Undefined: nobody has read it yet. */
  etag: string | undefined
}

/** What a state store must hold. */
export class StoreModel {
  readonly sort: Sort
  readonly #items = new Map<string, Item>()
  /** Etags that were given, by the keys. */
  readonly given = new Map<string, Set<string>>()
  readonly #now: () => number

  /** `now`: by the clock of the store. */
  constructor(sort: Sort, now: () => number) {
    this.sort = sort
    this.#now = now
  }

  find(key: string): Item | undefined {
    const item = this.#items.get(key)
    return item === undefined || item.expiresAt > this.#now() ? item : undefined
  }

  /** The etag that is valid now; undefined: it is not known, or there is no item. */
  etagOf(key: string): string | undefined {
    const item = this.find(key)
    return item && (this.sort === 'redis' ? item.version.toString() : item.etag)
  }

  outcomeOf(change: Change): Outcome {
    const {kind, etag, isFirst} = change
    const has = this.find(change.key) !== undefined
    if (this.sort === 'redis') return this.#redisOutcome(change, has)
    if (etag !== '') return etag === this.etagOf(change.key) ? 'ok' : 'mismatch'
    return kind === 'upsert' && isFirst && has ? 'mismatch' : 'ok'
  }

  #redisOutcome({kind, key, etag: asked, isFirst, isLast}: Change, has: boolean): Outcome {
    const etag = isLast && kind === 'upsert' ? '' : asked
    if (kind === 'upsert' && etag !== '' && !/^\d+$/.test(etag)) return 'invalid'
    const isOther = has && etag !== this.etagOf(key)
    if (etag !== '') return isOther ? 'mismatch' : 'ok'
    return kind === 'upsert' && isFirst && has ? 'failed' : 'ok'
  }

  apply({kind, key, value, ttl}: Change): void {
    const before = this.find(key)
    if (kind === 'delete') return void this.#items.delete(key)
    const kept = this.sort === 'redis' && ttl === undefined ? before?.expiresAt : undefined
    const expiresAt = ttl !== undefined && ttl > 0 ? this.#now() + ttl * 1000 : (kept ?? Infinity)
    this.#items.set(key, {value, version: (before?.version ?? 0) + 1, expiresAt, etag: undefined})
  }

  /** Does what a transaction does; gives its outcome. */
  transact(changes: readonly Change[]): Outcome {
    if (changes.some(each => this.sort === 'redis' && this.outcomeOf(each) === 'invalid')) return 'failed'
    if (this.sort === 'memory') {
      if (changes.some(each => this.outcomeOf(each) !== 'ok')) return 'failed'
      for (const each of changes) this.apply(each)
      return 'ok'
    }
    const before = new Map(this.#items)
    let isRefused = false
    for (const each of changes)
      if (this.outcomeOf(each) === 'ok') this.apply(each)
      else isRefused = true
    if (!isRefused) return 'ok'
    // Redis runs the others all the same
    if (this.sort !== 'redis') {
      this.#items.clear()
      for (const [key, item] of before) this.#items.set(key, item)
    }
    return 'failed'
  }

  /** An answer has said the etag of an item; what is wrong with it, '' = nothing. */
  learn(key: string, etag: string): string {
    const item = this.find(key)
    if (item === undefined) return ''
    const known = this.etagOf(key)
    const given = this.given.get(key) ?? new Set()
    this.given.set(key, given)
    if (known !== undefined && known !== etag) return `its etag was ${known} and is ${etag}`
    if (known === undefined && given.has(etag)) return `its etag ${etag} was that of another write`
    given.add(etag)
    item.etag = etag
    return ''
  }
}
