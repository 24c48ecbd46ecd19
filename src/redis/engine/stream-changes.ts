import type {StreamEntry} from './stream.ts'
import type {StreamId} from './stream-id.ts'

/** What has changed in a stream since its rows were last written. */
export class StreamChanges {
  added: StreamEntry[] = []
  removed: StreamId[] = []
  /** Groups that are new, gone, or have another position or other consumers. */
  readonly groups = new Set<string>()
  /** Writing has failed: all rows are to be written anew, and nothing is collected until then. */
  isWhole = false

  add(entry: StreamEntry): void {
    if (!this.isWhole) this.added.push(entry)
  }

  remove({ms, seq}: StreamId): void {
    if (!this.isWhole) this.removed.push({ms, seq})
  }

  rewrite(): void {
    this.clear()
    this.isWhole = true
  }

  clear(): void {
    this.added = []
    this.removed = []
    this.groups.clear()
    this.isWhole = false
  }
}
