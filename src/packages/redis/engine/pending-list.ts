import {compareIds, indexOf, type StreamId} from './stream-id.ts'

/** An entry that was delivered and not acknowledged. */
export interface PendingEntry extends StreamId {
  consumer: string
  /** The time of the last delivery, in milliseconds since 1970. */
  deliveredAt: number
  deliveries: number
  /** The entry was acknowledged. */
  isGone: boolean
  /** Whether the file has a row for it. */
  isStored: boolean
  /** The entry has to be written to the file. */
  isChanged: boolean
}

/** An entry that was delivered to a consumer. */
export type Delivery = Readonly<Omit<PendingEntry, 'isGone' | 'isStored' | 'isChanged'>>

/** Minimum number of removed entries that are dropped from the array, once they are the majority. */
const MIN_GONE = 256

/** Pending entries by ascending id, as an array: ids arrive almost in order, and a Map with many insertions and removals retains garbage. */
export class PendingList {
  #entries: PendingEntry[] = []
  /** Index of the first entry that was not removed. */
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): PendingEntry | undefined {
    return this.#entries[this.#head]
  }

  get last(): PendingEntry | undefined {
    for (let at = this.#entries.length - 1; at >= this.#head; at--) {
      const entry = this.#entries[at]
      if (entry?.isGone === false) return entry
    }
    return undefined
  }

  find(id: StreamId): PendingEntry | undefined {
    const entry = this.#entries[indexOf(this.#entries, this.#head, id)]
    return entry?.isGone === false && compareIds(entry, id) === 0 ? entry : undefined
  }

  /** Adds an entry with a new id. */
  add({ms, seq, consumer, deliveredAt, deliveries}: Delivery): PendingEntry {
    const entry = {ms, seq, consumer, deliveredAt, deliveries, isGone: false, isStored: false, isChanged: false}
    const at = indexOf(this.#entries, this.#head, entry)
    if (at === this.#entries.length) this.#entries.push(entry)
    // a removed entry may have that place
    else this.#entries.splice(at, compareIds(this.#entries[at] ?? entry, entry) === 0 ? 1 : 0, entry)
    this.#size++
    return entry
  }

  remove(entry: PendingEntry): void {
    entry.isGone = true
    this.#size--
    while (this.#entries[this.#head]?.isGone === true) this.#head++
    const gone = this.#entries.length - this.#size
    if (gone < MIN_GONE || gone < this.#size) return
    this.#entries = this.#entries.filter(each => !each.isGone)
    this.#head = 0
  }

  /** Returns the current entries as a copy: a caller may change the list while it reads them. */
  all(): readonly PendingEntry[] {
    return this.#entries.filter(entry => !entry.isGone)
  }
}
