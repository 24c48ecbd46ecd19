import type {StreamEntry} from './stream.ts'
import type {StreamId} from './stream-id.ts'

/** What has changed in a stream since its rows were last written. */
export class StreamChanges {
  added: StreamEntry[] = []
  removed: StreamId[] = []
  /** Groups that are new, gone, or have another position or other consumers. */
  readonly groups = new Set<string>()

  remove(id: StreamId): void {
    this.removed.push({ms: id.ms, seq: id.seq})
  }

  clear(): void {
    this.added = []
    this.removed = []
    this.groups.clear()
  }
}
