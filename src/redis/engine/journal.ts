import type {Database} from './database.ts'

/** Collects the keys that have changed since the file was last written. */
export class Journal {
  readonly changed = new Map<Database, Set<string>>()
  readonly #wake: () => void

  /** `wake` is called when there is something to write. */
  constructor(wake: () => void) {
    this.#wake = wake
  }

  note(database: Database, key: string): void {
    const keys = this.changed.get(database)
    if (keys !== undefined) keys.add(key)
    else {
      this.changed.set(database, new Set([key]))
      this.#wake()
    }
  }
}
