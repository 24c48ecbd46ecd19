import type {Database} from './database.ts'

/** More changes than these do not wait for their time: so many are written in about 10 ms. */
const MANY = 4000

/** Who writes what a journal has collected. */
export interface JournalWriter {
  /** There is something to write. */
  wake(): void
  /** There is much of it: it is to be written before anything else is changed. */
  writeMany(): void
  /** Writes everything now. False: that has failed. */
  writeAll(): boolean
}

/** Collects the keys that have changed since the file was last written. */
export class Journal {
  changed = new Map<Database, Set<string>>()
  readonly #writer: JournalWriter
  /** Changes since the last write; a key may have several. */
  #count = 0

  constructor(writer: JournalWriter) {
    this.#writer = writer
  }

  /** `changes`: how many rows of a stream are concerned. */
  note(database: Database, key: string, changes = 1): void {
    this.#count += changes
    const keys = this.changed.get(database)
    if (keys !== undefined) {
      keys.add(key)
      return
    }
    this.changed.set(database, new Set([key]))
    if (this.changed.size === 1) this.#writer.wake()
  }

  /** Called when a command is over. */
  settle(): void {
    if (this.#count >= MANY) this.#writer.writeMany()
  }

  /** Writes everything now. False: that has failed. */
  save(): boolean {
    return this.#writer.writeAll()
  }

  /** What has changed, at most so many keys; from now on these are collected again. */
  take(limit: number): ReadonlyMap<Database, ReadonlySet<string>> {
    const {changed} = this
    this.changed = new Map()
    this.#count = 0
    let left = limit
    for (const [database, keys] of changed) {
      if (keys.size > left) {
        const all = [...keys]
        this.changed.set(database, new Set(all.slice(left)))
        changed.set(database, new Set(all.slice(0, left)))
        this.#count += all.length - left
      }
      left = Math.max(left - keys.size, 0)
    }
    return changed
  }
}
