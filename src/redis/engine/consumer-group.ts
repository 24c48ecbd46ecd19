import {compareIds, formatId, nextId, MAX_ID, type StreamId} from './stream-id.ts'

/** An entry that was delivered and not acknowledged. */
export interface PendingEntry extends StreamId {
  consumer: string
  /** When it was delivered, in milliseconds since 1970. */
  deliveredAt: number
  deliveries: number
}

export interface Consumer {
  /** When it last asked for something, in milliseconds since 1970. */
  seenAt: number
  pending: number
}

/** A consumer group: how far it has read, and what it has not acknowledged. */
export class ConsumerGroup {
  readonly name: string
  readonly consumers = new Map<string, Consumer>()
  /** Pending entries that the file does not know yet; undefined if nothing is stored. */
  readonly changed: Set<string> | undefined
  /** Pending entries that have a row in the file. */
  #stored = new Set<string>()
  /** No row of it was written yet. */
  isNew = true
  lastId: StreamId
  /** How many entries were read; undefined if it cannot be known. */
  entriesRead: number | undefined
  #pending = new Map<string, PendingEntry>()
  #last: StreamId | undefined
  #isSorted = true

  constructor(name: string, lastId: StreamId, entriesRead: number | undefined, isStored: boolean) {
    this.name = name
    this.lastId = lastId
    this.entriesRead = entriesRead
    this.changed = isStored ? new Set() : undefined
  }

  /** By id, ascending. */
  get pending(): ReadonlyMap<string, PendingEntry> {
    if (!this.#isSorted) {
      this.#pending = new Map([...this.#pending].toSorted(([, a], [, b]) => compareIds(a, b)))
      this.#isSorted = true
    }
    return this.#pending
  }

  /** The consumer, created if it is new. */
  consumer(name: string, now: number): Consumer {
    let consumer = this.consumers.get(name)
    if (consumer === undefined) {
      consumer = {seenAt: now, pending: 0}
      this.consumers.set(name, consumer)
    } else consumer.seenAt = now
    return consumer
  }

  /** Assigns an entry to a consumer, from whichever had it. */
  assign(entry: PendingEntry): void {
    const id = formatId(entry)
    const previous = this.#pending.get(id)
    if (previous !== undefined) this.#count(previous.consumer, -1)
    else if (this.#last !== undefined && compareIds(entry, this.#last) < 0) this.#isSorted = false
    else this.#last = entry
    this.#pending.set(id, entry)
    this.#count(entry.consumer, 1)
    this.changed?.add(id)
  }

  acknowledge(id: string): boolean {
    const entry = this.#pending.get(id)
    if (entry === undefined) return false
    this.#pending.delete(id)
    this.#count(entry.consumer, -1)
    // what comes and goes between two writes leaves no trace in the file
    if (this.#stored.has(id)) this.changed?.add(id)
    else this.changed?.delete(id)
    return true
  }

  /** All changes are in the file; `isWhole`: whatever was there of it has been replaced. */
  written(isWhole: boolean): void {
    if (this.changed === undefined) return
    if (isWhole || this.isNew) this.#stored = new Set(this.#pending.keys())
    else
      for (const id of this.changed)
        if (this.#pending.has(id)) this.#stored.add(id)
        else this.#stored.delete(id)
    this.changed.clear()
    this.isNew = false
  }

  /** Deletes a consumer with what is pending for it; returns how much that was. */
  deleteConsumer(name: string): number {
    const ids = [...this.#pending].filter(([, {consumer}]) => consumer === name).map(([id]) => id)
    for (const id of ids) this.acknowledge(id)
    this.consumers.delete(name)
    return ids.length
  }

  /** The first id that this group may still need. */
  firstOpen(): StreamId {
    const [oldest] = this.pending.values()
    return oldest ?? nextId(this.lastId) ?? MAX_ID
  }

  #count(name: string, by: number): void {
    const consumer = this.consumers.get(name)
    if (consumer !== undefined) consumer.pending += by
  }
}
