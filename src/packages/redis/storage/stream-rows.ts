import type {DatabaseSync, StatementSync} from 'node:sqlite'
import type {ConsumerGroup} from '../engine/consumer-group.ts'
import {compareIds, formatId, MAX_ID, MIN_ID, type StreamId} from '../engine/stream-id.ts'
import type {StreamEntry} from '../engine/stream-changes.ts'
import type {Stream} from '../engine/stream.ts'
import {encodeAll, encodeText} from './encoding.ts'

/** Number of new entries in one write that counts as a flood. Entries that all groups have acknowledged are written after it. */
const FLOOD = 50
/** Number of those entries to write at once. */
const REST_ROWS = 1000
/** Maximum bytes of the rest in one write: some 10 ms. */
const REST_BYTES = 4_000_000

/** How much of a stream was written. */
export interface WrittenRows {
  /** Bytes of new entries. */
  readonly size: number
  readonly isAll: boolean
}

export const NOTHING: WrittenRows = {size: 0, isAll: true}

/** A stream with entries that all groups have acknowledged, and that have no rows yet. */
interface Unfinished {
  readonly stream: Stream
  /** The last of these entries. */
  last: StreamId
}

/** Writes the changes of streams: entries, groups and pending entries have rows of their own. */
export class StreamRows {
  /** The unfinished streams by their serial numbers. */
  readonly #unfinished = new Map<number, Unfinished>()
  readonly #addEntry: StatementSync
  readonly #removeEntry: StatementSync
  readonly #removeEntries: StatementSync
  readonly #putGroup: StatementSync
  readonly #removeGroup: StatementSync
  readonly #putPending: StatementSync
  readonly #removePending: StatementSync
  readonly #removeGroupPending: StatementSync
  readonly #removeAll: readonly StatementSync[]

  constructor(file: DatabaseSync) {
    this.#addEntry = file.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)')
    this.#removeEntry = file.prepare('DELETE FROM entries WHERE stream = ? AND ms = ? AND seq = ?')
    this.#removeEntries = file.prepare('DELETE FROM entries WHERE stream = ? AND (ms, seq) <= (?, ?)')
    this.#putGroup = file.prepare('INSERT OR REPLACE INTO groups VALUES (?, ?, ?)')
    this.#removeGroup = file.prepare('DELETE FROM groups WHERE stream = ? AND name = ?')
    this.#putPending = file.prepare('INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.#removePending = file.prepare('DELETE FROM pending WHERE stream = ? AND name = ? AND ms = ? AND seq = ?')
    this.#removeGroupPending = file.prepare('DELETE FROM pending WHERE stream = ? AND name = ?')
    this.#removeAll = ['entries', 'groups', 'pending'].map(table =>
      file.prepare(`DELETE FROM ${table} WHERE stream = ?`)
    )
  }

  /**
   * Writes the changes of a stream. Stops before a new entry once `maxBytes` are written. Returns the bytes of entries, and whether all
   * is written. The caller marks the changes as written after the transaction.
   */
  write(stream: Stream, maxBytes: number): WrittenRows {
    const {changes, serial} = stream
    if (changes === undefined) return NOTHING
    if (changes.isWhole) {
      this.drop(serial)
      for (const entry of stream.range(MIN_ID, MAX_ID)) this.#add(serial, entry)
      for (const group of stream.groups.values()) this.#writeGroup(serial, group, true)
      return NOTHING
    }
    if (changes.trimmed !== undefined) this.#removeEntries.run(serial, changes.trimmed.ms, changes.trimmed.seq)
    for (const {ms, seq} of changes.removed) this.#removeEntry.run(serial, ms, seq)
    const {size, left} = this.#addNew(stream, changes.added, maxBytes)
    if (left.length > 0) {
      // groups wait, too: their entries are in the file first
      changes.keepAdded(left)
      return {size, isAll: false}
    }
    changes.partlySince = undefined
    this.#finish(stream, changes.added.length)
    for (const name of changes.groups) {
      const group = stream.groups.get(name)
      if (group !== undefined) this.#writeGroup(serial, group, group.isNew)
      else {
        this.#removeGroup.run(serial, encodeText(name))
        this.#removeGroupPending.run(serial, encodeText(name))
      }
    }
    return {size, isAll: true}
  }

  drop(serial: number): void {
    this.#unfinished.delete(serial)
    for (const statement of this.#removeAll) statement.run(serial)
  }

  /** Streams that a flood has left unfinished. */
  get unfinished(): readonly Stream[] {
    return [...this.#unfinished.values()].map(({stream}) => stream)
  }

  /** Writes a part of the remaining entries, or all. Returns whether the stream is complete. The caller calls `finished` after the commit. */
  writeRest(stream: Stream, isAll: boolean): boolean {
    if (stream.changes?.isWhole === true) return this.write(stream, Infinity).isAll // an earlier write of this stream has failed
    let rows = isAll ? Infinity : REST_ROWS
    let room = isAll ? Infinity : REST_BYTES
    for (const entry of stream.range(MIN_ID, MAX_ID)) {
      if (entry.isStored) continue
      if (rows-- === 0 || room <= 0) return false
      room -= this.#add(stream.serial, entry)
    }
    return true
  }

  /** Marks a stream after a failed write: if its key still exists, the whole stream is written again. */
  retry(stream: Stream): void {
    stream.rewrite()
    this.finished(stream)
  }

  /** Forgets a stream without unwritten entries of a flood. */
  finished({serial}: Stream): void {
    this.#unfinished.delete(serial)
  }

  /**
   * Writes new entries. Entries that all groups have acknowledged get no row at once, since many are removed soon. Returns the written
   * bytes, and the entries left after `maxBytes`.
   */
  #addNew(
    stream: Stream,
    added: readonly StreamEntry[],
    maxBytes: number
  ): {readonly size: number; readonly left: StreamEntry[]} {
    const open = added.length < FLOOD ? undefined : stream.acknowledgedBefore()
    let size = 0
    for (const [at, entry] of added.entries())
      if (entry.isGone) continue
      else if (open !== undefined && compareIds(entry, open) < 0) this.#postpone(stream, entry)
      else if (size >= maxBytes) return {size, left: added.slice(at)}
      else size += this.#add(stream.serial, entry)
    return {size, left: []}
  }

  #postpone(stream: Stream, last: StreamId): void {
    const unfinished = this.#unfinished.get(stream.serial)
    if (unfinished === undefined) this.#unfinished.set(stream.serial, {stream, last})
    else unfinished.last = last
  }

  /** Writes the rest of a flood: some of it after the flood, all if a group has not read it. */
  #finish(stream: Stream, added: number): void {
    const unfinished = this.#unfinished.get(stream.serial)
    if (unfinished === undefined) return
    const open = stream.acknowledgedBefore()
    const isOpen = open === undefined || compareIds(open, unfinished.last) <= 0
    if ((isOpen || added < FLOOD) && this.writeRest(stream, isOpen)) this.finished(stream)
  }

  /** Returns the size of the row. */
  #add(serial: number, entry: StreamEntry): number {
    const fields = encodeAll(entry.fields)
    this.#addEntry.run(serial, entry.ms, entry.seq, fields)
    entry.isStored = true
    return fields.length
  }

  #writeGroup(serial: number, group: ConsumerGroup, isWhole: boolean): void {
    const name = encodeText(group.name)
    const consumers = [...group.consumers].flatMap(([consumer, {seenAt}]) => [consumer, seenAt.toString()])
    const state = [formatId(group.lastId), group.entriesRead?.toString() ?? '', ...consumers]
    this.#putGroup.run(serial, name, encodeAll(state))
    if (isWhole) this.#removeGroupPending.run(serial, name)
    for (const entry of isWhole ? group.pending.all() : group.changed) {
      const {ms, seq, consumer, deliveredAt} = entry
      const deliveries = Math.min(entry.deliveries, Number.MAX_SAFE_INTEGER) // a larger number cannot be read again
      if (!entry.isGone) this.#putPending.run(serial, name, ms, seq, encodeText(consumer), deliveredAt, deliveries)
      else if (entry.isStored) this.#removePending.run(serial, name, ms, seq)
    }
  }
}
