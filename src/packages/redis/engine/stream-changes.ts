import type {StreamId} from './stream-id.ts'

/** A message of a stream; fields and values alternate. */
export interface StreamEntry extends StreamId {
  readonly fields: readonly string[]
  /** The file has a row of it. */
  isStored: boolean
  /** The message is no longer in the stream. */
  isGone: boolean
}

/** The changes of a stream since its rows were last written. */
export class StreamChanges {
  /** Added messages; some of them may be gone. */
  added: StreamEntry[] = []
  /** Entries that have rows. */
  removed: StreamId[] = []
  /** All rows up to this one are to be removed. */
  trimmed: StreamId | undefined
  /** Groups that are new, gone, or have another position or other consumers. */
  readonly groups = new Set<string>()
  /** Writing has failed: all rows must be written again, and nothing is collected until then. */
  isWhole = false
  /** Entries in `added` wait for the next write, and groups with them: the first that the groups in the file do not know. */
  partlySince: StreamId | undefined

  add(entry: StreamEntry): void {
    if (!this.isWhole) this.added.push(entry)
  }

  remove(entry: StreamEntry): void {
    entry.isGone = true
    if (!this.isWhole && entry.isStored) this.removed.push(entry)
  }

  /** This entry and all before it are gone. */
  trim(entry: StreamEntry): void {
    entry.isGone = true
    if (!this.isWhole && entry.isStored) this.trimmed = entry
  }

  /** Marks rows as written; `left`: new entries without a row. */
  keepAdded(left: StreamEntry[]): void {
    this.partlySince ??= this.added[0]
    this.added = left
    this.removed = []
    this.trimmed = undefined
  }

  rewrite(): void {
    this.clear()
    this.isWhole = true
  }

  clear(): void {
    this.added = []
    this.removed = []
    this.trimmed = undefined
    this.groups.clear()
    this.isWhole = false
    this.partlySince = undefined
  }
}
