import type {Database} from './database.ts'

/** Collects the keys that have changed since the file was last written. */
export class Journal {
  changed = new Map<Database, Set<string>>()
  readonly #wake: () => void

  /** `wake` is called when there is something to write. */
  constructor(wake: () => void) {
    this.#wake = wake
  }

  note(database: Database, key: string): void {
    const keys = this.changed.get(database)
    if (keys !== undefined) {
      keys.add(key)
      return
    }
    this.changed.set(database, new Set([key]))
    if (this.changed.size === 1) this.#wake()
  }

  /** What has changed, at most so many keys; from now on these are collected anew. */
  take(limit: number): ReadonlyMap<Database, ReadonlySet<string>> {
    const {changed} = this
    this.changed = new Map()
    let left = limit
    for (const [database, keys] of changed) {
      if (keys.size > left) this.changed.set(database, new Set([...keys].slice(left)))
      if (keys.size > left) changed.set(database, new Set([...keys].slice(0, left)))
      left = Math.max(left - keys.size, 0)
    }
    return changed
  }
}
