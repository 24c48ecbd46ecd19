import type {StreamId} from './stream-id.ts'

/** A message of a stream; fields and values alternate. */
export interface StreamEntry extends StreamId {
  readonly fields: readonly string[]
  /** Whether the file has a row for it. */
  isStored: boolean
  /** Whether the message was removed from the stream. */
  isGone: boolean
}

/** The changes of a stream since its rows were last written. */
export class StreamChanges {
  /** Added messages, including those that were removed since. */
  added: StreamEntry[] = []
  /** Removed entries that still have rows in the file. */
  removed: StreamId[] = []
  /** Id up to which all rows are to be removed; undefined: none. */
  trimmed: StreamId | undefined
  /** Groups that are new, gone, or have another position or consumers. */
  readonly groups = new Set<string>()
  /** Whether all rows must be written again, since a write failed. Changes are not collected until that is done. */
  isWhole = false
  /** First entry that the groups in the file do not know, while entries in `added` wait for a later write. */
  partlySince: StreamId | undefined

  add(entry: StreamEntry): void {
    if (!this.isWhole) this.added.push(entry)
  }

  remove(entry: StreamEntry): void {
    entry.isGone = true
    if (!this.isWhole && entry.isStored) this.removed.push(entry)
  }

  /** Notes that this entry and all before it were removed. */
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
