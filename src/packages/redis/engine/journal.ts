import type {Database} from './database.ts'

/** Keys by their databases. */
export type ChangedKeys = Map<Database, Set<string>>

export const keysIn = (keys: ChangedKeys): number => [...keys.values()].reduce((count, each) => count + each.size, 0)

/** Number of changes above which they are written at once. */
const MANY = 4000

/** Writes the changes of a journal. */
export interface JournalWriter {
  /** Called when there are changes to write. */
  wake(): void
  /** Called after a command if there are many changes, to write them before the next command. */
  writeMany(): void
  /** Writes everything now. Returns false on failure. */
  writeAll(): boolean
}

/** Collects the keys that have changed since the file was last written. */
export class Journal {
  changed: ChangedKeys = new Map()
  /** Keys to be written together: something has moved between them since the last write, or one transaction has changed them. */
  readonly moved = new Set<string>()
  isTransaction = false
  readonly #writer: JournalWriter
  /** Changes since the last write; a key may have several. */
  #count = 0

  constructor(writer: JournalWriter) {
    this.#writer = writer
  }

  /** `changes`: how many rows of a stream are concerned. */
  note(database: Database, key: string, changes = 1): void {
    this.#count += changes
    if (this.isTransaction) this.moved.add(key)
    const keys = this.changed.get(database)
    if (keys !== undefined) {
      keys.add(key)
      return
    }
    this.changed.set(database, new Set([key]))
    if (this.changed.size === 1) this.#writer.wake()
  }

  /** Called at the end of each command. */
  settle(): void {
    this.isTransaction = false
    if (this.#count >= MANY) this.#writer.writeMany()
  }

  /** Writes everything now. Returns false on failure. */
  save(): boolean {
    return this.#writer.writeAll()
  }

  /** Returns the changes, and begins to collect again. */
  take(): ChangedKeys {
    const {changed} = this
    this.changed = new Map()
    this.#count = 0
    return changed
  }

  /** Puts back changes of `take` that could not be written. */
  keep(left: ChangedKeys): void {
    this.changed = left
    this.#count = keysIn(left)
  }
}
