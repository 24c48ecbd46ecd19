import {compareIds, nextId, MAX_ID, type StreamId, indexOf} from './stream-id.ts'

export interface Consumer {
  /** The time of its last request, in milliseconds since 1970. */
  seenAt: number
  pending: number
}

/** A consumer group: its position, and its unacknowledged entries. */
export class ConsumerGroup {
  readonly name: string
  readonly consumers = new Map<string, Consumer>()
  readonly pending = new PendingList()
  /** Whether the file has no row of the group yet. */
  isNew = true
  lastId: StreamId
  /** Number of read entries; undefined if it cannot be known. */
  entriesRead: number | undefined
  /** Entries that changed since the last write. Undefined without a file. */
  #changed: PendingEntry[] | undefined

  constructor(name: string, lastId: StreamId, entriesRead: number | undefined, isStored: boolean) {
    this.name = name
    this.lastId = lastId
    this.entriesRead = entriesRead
    this.#changed = isStored ? [] : undefined
  }

  /** Entries whose row in the file is missing or outdated. An added entry that was removed again has no row to write. */
  get changed(): readonly PendingEntry[] {
    return this.#changed ?? []
  }

  /** Returns a consumer, which it creates if the name is new. */
  consumer(name: string, now: number): Consumer {
    let consumer = this.consumers.get(name)
    if (consumer === undefined) {
      consumer = {seenAt: now, pending: 0}
      this.consumers.set(name, consumer)
    } else consumer.seenAt = now
    return consumer
  }

  /** Assigns an entry to a consumer, and removes it from its previous consumer. */
  assign(delivery: Delivery): void {
    let entry = this.pending.find(delivery)
    if (entry === undefined) entry = this.pending.add(delivery)
    else {
      this.#count(entry.consumer, -1)
      entry.consumer = delivery.consumer
      entry.deliveredAt = delivery.deliveredAt
      entry.deliveries = delivery.deliveries
    }
    this.#count(entry.consumer, 1)
    this.#change(entry)
  }

  acknowledge(id: StreamId): boolean {
    const entry = this.pending.find(id)
    if (entry === undefined) return false
    this.pending.remove(entry)
    this.#count(entry.consumer, -1)
    // an entry that appears and vanishes between two writes is never written
    if (entry.isStored) this.#change(entry)
    return true
  }

  /** Called when all changes are in the file. `isWhole`: all its rows were written again. */
  written(isWhole: boolean): void {
    if (this.#changed === undefined) return
    this.forget()
    if (isWhole || this.isNew) for (const entry of this.pending.all()) entry.isStored = true
    this.isNew = false
  }

  /** Forgets the changes: they are in the file, or the next write includes all rows. */
  forget(): void {
    for (const entry of this.#changed ?? []) {
      entry.isChanged = false
      entry.isStored = !entry.isGone
    }
    if (this.changed.length > 0) this.#changed = []
  }

  /** Deletes a consumer. Returns the number of its pending entries. */
  deleteConsumer(name: string): number {
    const entries = this.pending.all().filter(({consumer}) => consumer === name)
    for (const entry of entries) this.acknowledge(entry)
    this.consumers.delete(name)
    return entries.length
  }

  /** The first id that this group may still need. */
  firstOpen(): StreamId {
    const [next, {first = next}] = [nextId(this.lastId) ?? MAX_ID, this.pending]
    return compareIds(first, next) < 0 ? first : next // XGROUP SETID may have moved `lastId` back
  }

  #change(entry: PendingEntry): void {
    if (this.#changed === undefined || entry.isChanged) return
    entry.isChanged = true
    this.#changed.push(entry)
  }

  #count(name: string, by: number): void {
    const consumer = this.consumers.get(name)
    if (consumer !== undefined) consumer.pending += by
  }
}

/** An entry that was delivered and not acknowledged. */
interface PendingEntry extends StreamId {
  consumer: string
  /** The time of the last delivery, in milliseconds since 1970. */
  deliveredAt: number
  deliveries: number
  /** Whether the entry was acknowledged. */
  isGone: boolean
  /** Whether the file has a row for it. */
  isStored: boolean
  /** Whether the entry has to be written to the file. */
  isChanged: boolean
}

/** An entry that was delivered to a consumer. */
type Delivery = Readonly<Omit<PendingEntry, 'isGone' | 'isStored' | 'isChanged'>>

/** Minimum number of removed entries that are dropped from the array, once they are the majority. */
const MIN_GONE = 256

/** Pending entries by ascending id, as an array: ids arrive almost in order, and a Map with many insertions and removals retains garbage. */
class PendingList {
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
    // a removed entry with this id may still be in the list
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
