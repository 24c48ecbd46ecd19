import {ConsumerGroup} from './consumer-group.ts'
import {compareIds, indexOf, MIN_ID, type StreamId} from './stream-id.ts'
import {StreamChanges, type StreamEntry} from './stream-changes.ts'

/** Number of removed entries at which the start of the array is cut off. */
const MIN_GONE = 1024

let lastSerial = 0

/** A stream: its entries in the order of their ids, and its consumer groups. */
export class Stream {
  /** Names the stream in the file, also if its key is renamed. */
  readonly serial: number
  readonly groups = new Map<string, ConsumerGroup>()
  /** Changes that are not in the file yet; undefined without a file. */
  readonly changes: StreamChanges | undefined
  lastId: StreamId = MIN_ID
  maxDeletedId: StreamId = MIN_ID
  entriesAdded = 0
  #entries: StreamEntry[] = []
  #head = 0

  constructor(isStored: boolean, serial = lastSerial + 1) {
    this.serial = serial
    lastSerial = Math.max(lastSerial, serial)
    this.changes = isStored ? new StreamChanges() : undefined
  }

  get length(): number {
    return this.#entries.length - this.#head
  }

  get first(): StreamEntry | undefined {
    return this.#entries[this.#head]
  }

  get last(): StreamEntry | undefined {
    return this.length > 0 ? this.#entries.at(-1) : undefined
  }

  /** Adds an entry; its id must be above `lastId`. */
  add({ms, seq}: StreamId, fields: readonly string[]): void {
    const entry = {ms, seq, fields, isStored: false, isGone: false}
    this.#entries.push(entry)
    this.lastId = {ms, seq}
    this.entriesAdded++
    this.changes?.add(entry)
  }

  /** Creates a group that starts after this id. */
  createGroup(name: string, lastId: StreamId, entriesRead: number | undefined): ConsumerGroup {
    const group = new ConsumerGroup(name, lastId, entriesRead, this.changes !== undefined)
    this.groups.set(name, group)
    this.changes?.groups.add(name)
    return group
  }

  /** Called after a write to the file. Does nothing while entries in `added` wait for a later write. */
  written(): void {
    if (this.changes?.partlySince !== undefined) return
    const isWhole = this.changes?.isWhole === true
    this.changes?.clear()
    for (const group of this.groups.values()) group.written(isWhole)
  }

  /** Called when the file could not be written: the next write includes all rows. */
  rewrite(): void {
    this.changes?.rewrite()
    for (const group of this.groups.values()) group.forget()
  }

  /** Adds an entry that was read from the file. */
  restore({ms, seq}: StreamId, fields: readonly string[]): void {
    this.#entries.push({ms, seq, fields, isStored: true, isGone: false})
  }

  find(id: StreamId): StreamEntry | undefined {
    const entry = this.#entries[indexOf(this.#entries, this.#head, id)]
    return entry !== undefined && compareIds(entry, id) === 0 ? entry : undefined
  }

  /** Returns at most `count` entries from one id to another, both included. */
  range(start: StreamId, end: StreamId, count = Infinity): readonly StreamEntry[] {
    const from = indexOf(this.#entries, this.#head, start)
    let to = from
    for (const last = Math.min(from + count, this.#entries.length); to < last; to++) {
      const entry = this.#entries[to]
      if (entry === undefined || compareIds(entry, end) > 0) break
    }
    return this.#entries.slice(from, to)
  }

  /** As `range`, from the end. */
  rangeReversed(start: StreamId, end: StreamId, count = Infinity): readonly StreamEntry[] {
    const found: StreamEntry[] = []
    let at = indexOf(this.#entries, this.#head, end)
    const entry = this.#entries[at]
    if (entry === undefined || compareIds(entry, end) !== 0) at--
    for (; at >= this.#head && found.length < count; at--) {
      const each = this.#entries[at]
      if (each === undefined || compareIds(each, start) < 0) break
      found.push(each)
    }
    return found
  }

  /** Deletes entries. Returns how many existed. */
  delete(ids: readonly StreamId[]): number {
    let gone = 0
    let at = 0
    for (const id of ids) {
      at = indexOf(this.#entries, this.#head, id)
      const entry = this.#entries[at]
      if (entry === undefined || entry.isGone || compareIds(entry, id) !== 0) continue
      gone++
      entry.isGone = true
      if (compareIds(id, this.maxDeletedId) > 0) this.maxDeletedId = id
      this.changes?.remove(entry)
    }
    if (ids.length === 1 && gone === 1 && at > this.#head) this.#entries.splice(at, 1)
    else if (gone > 0) this.#dropGone(gone)
    return gone
  }

  /** Drops the oldest entries until `length` are left; returns how many were dropped. */
  trimToLength(length: number, limit = Infinity): number {
    return this.#trim(Math.min(this.length - length, limit))
  }

  /** Drops the entries before an id. */
  trimBefore(id: StreamId, limit = Infinity): number {
    return this.#trim(Math.min(indexOf(this.#entries, this.#head, id) - this.#head, limit))
  }

  /** Returns the id before which every group has acknowledged all entries; undefined without groups. */
  acknowledgedBefore(): StreamId | undefined {
    let least: StreamId | undefined
    for (const group of this.groups.values()) {
      const open = group.firstOpen()
      if (least === undefined || compareIds(open, least) < 0) least = open
    }
    return least
  }

  #trim(count: number): number {
    if (count <= 0) return 0
    for (let at = this.#head; at < this.#head + count; at++) {
      const entry = this.#entries[at]
      if (entry !== undefined) this.changes?.trim(entry)
    }
    this.#dropHead(count)
    return count
  }

  #dropGone(count: number): void {
    let atHead = 0
    while (this.#entries[this.#head + atHead]?.isGone === true) atHead++
    this.#dropHead(atHead)
    if (atHead < count) this.#entries = this.#entries.filter((entry, at) => at < this.#head || !entry.isGone)
  }

  #dropHead(count: number): void {
    for (let left = count; left > 0; left--) this.#entries[this.#head++] = GONE
    if (this.#head < MIN_GONE || this.#head * 2 < this.#entries.length) return
    this.#entries = this.#entries.slice(this.#head)
    this.#head = 0
  }
}

/** Replaces a dropped entry, so that its fields can be freed. */
const GONE: StreamEntry = {...MIN_ID, fields: [], isStored: false, isGone: true}
