import {wrongType} from './errors.ts'
import type {ExpiryTimer} from './expiry-timer.ts'
import type {NotificationKind} from './notifications.ts'
import {List} from './list.ts'
import {SortedSet} from './sorted-set.ts'
import {Stream} from './stream.ts'

export type Value = string | Map<string, string> | List | Set<string> | SortedSet | Stream

export interface DatabaseEvents {
  /** Called when a key was written, deleted or has expired. */
  changed(database: Database, key: string): void
  /** Called when a value or a member moves between these keys, which must be written together. */
  moved(keys: readonly string[]): void
  /** Notes a change that only the file needs, such as the position of a stream's reader. */
  note(database: Database, key: string, changes: number): void
  /** Notifies subscribers of keyspace notifications. */
  notify(database: Database, kind: NotificationKind, event: string, key: string): void
  readonly timer: ExpiryTimer
  readonly isStored: boolean
}

/** The keys of one database (`SELECT`). An expired key is missing at once, even if the timer has not run yet. */
export class Database {
  readonly index: number
  readonly expiries = new Map<string, number>()
  /** Number of keys removed so far. */
  removed = 0
  readonly #events: DatabaseEvents
  readonly #values = new Map<string, Value>()

  constructor(index: number, events: DatabaseEvents) {
    this.index = index
    this.#events = events
  }

  /** Number of keys, including expired ones not removed yet. */
  get size(): number {
    return this.#values.size
  }

  /** Whether values are kept in a file. */
  get isStored(): boolean {
    return this.#events.isStored
  }

  get(key: string): Value | undefined {
    if (this.expiries.size > 0) this.expire(key)
    return this.#values.get(key)
  }

  /** The value, also of a key that has expired and is not removed yet. */
  peek(key: string): Value | undefined {
    return this.#values.get(key)
  }

  /** Removes a key if it has expired. */
  expire(key: string): void {
    const at = this.expiries.get(key)
    if (at === undefined || at > Date.now()) return
    this.#remove(key)
    this.changed(key, 'x', 'expired')
  }

  string(key: string): string | undefined {
    const value = this.get(key)
    if (value !== undefined && typeof value !== 'string') throw wrongType()
    return value
  }

  hash(key: string): Map<string, string> | undefined {
    return this.#ofType<Map<string, string>>(key, Map)
  }

  list(key: string): List | undefined {
    return this.#ofType(key, List)
  }

  members(key: string): Set<string> | undefined {
    return this.#ofType<Set<string>>(key, Set)
  }

  sortedSet(key: string): SortedSet | undefined {
    return this.#ofType(key, SortedSet)
  }

  stream(key: string): Stream | undefined {
    return this.#ofType(key, Stream)
  }

  #ofType<T extends Value>(key: string, type: new (...args: never[]) => T): T | undefined {
    const value = this.get(key)
    if (value !== undefined && !(value instanceof type)) throw wrongType()
    return value
  }

  /** Sets a value and keeps its time to live. The caller reports the change. */
  put(key: string, value: Value): void {
    this.#values.set(key, value)
  }

  /** Sets a value that has no time to live. */
  replace(key: string, value: Value): void {
    this.expiries.delete(key)
    this.#values.set(key, value)
  }

  /** Deletes a key. Returns whether it existed. */
  delete(key: string, event = 'del'): boolean {
    if (this.get(key) === undefined) return false
    this.#remove(key)
    this.changed(key, 'g', event)
    return true
  }

  /** Removes members of a collection, and reports that. Returns the number of removed members. */
  deleteMembers(
    key: string,
    from: {readonly size: number; delete(member: string): boolean} | undefined,
    members: readonly string[],
    [kind, event]: readonly [kind: NotificationKind, event: string]
  ): number {
    if (from === undefined) return 0
    const count = members.filter(member => from.delete(member)).length
    if (count > 0) this.changed(key, kind, event)
    this.deleteIfEmpty(key, from.size)
    return count
  }

  /** Deletes the key of a collection without members. */
  deleteIfEmpty(key: string, size: number): void {
    if (size === 0) this.delete(key)
  }

  /** Reports a changed key to all listeners. `kind` and `event` are those of keyspace notifications. */
  changed(key: string, kind: NotificationKind, event: string): void {
    this.#events.changed(this, key)
    this.#events.notify(this, kind, event, key)
  }

  /** Reports a move between these keys. The caller reports their changes, too. */
  moved(...keys: readonly string[]): void {
    this.#events.moved(keys)
  }

  /** Reports a change only to the file, for changes that WATCH and keyspace notifications ignore. */
  note(key: string, changes: number): void {
    this.#events.note(this, key, changes)
  }

  /** Returns when the key expires, in milliseconds since 1970; undefined: never. */
  expiresAt(key: string): number | undefined {
    return this.expiries.get(key)
  }

  /** Sets when a key expires; undefined: never. The caller reports the change. */
  setExpiry(key: string, at: number | undefined): void {
    if (at === undefined) this.expiries.delete(key)
    else {
      this.expiries.set(key, at)
      this.#events.timer.add(this, key, at)
    }
  }

  /** Removes the expiry of a key. Returns whether it had one. */
  persist(key: string): boolean {
    if (!this.expiries.delete(key)) return false
    this.changed(key, 'g', 'persist')
    return true
  }

  *keys(): Generator<string, void> {
    for (const key of this.#values.keys()) {
      const at = this.expiries.get(key)
      if (at === undefined || at > Date.now()) yield key
    }
  }

  flush(): void {
    const keys = [...this.#values.keys()]
    this.removed += keys.length
    this.#values.clear()
    this.expiries.clear()
    for (const key of keys) this.#events.changed(this, key)
  }

  #remove(key: string): void {
    this.removed++
    this.#values.delete(key)
    this.expiries.delete(key)
  }
}
