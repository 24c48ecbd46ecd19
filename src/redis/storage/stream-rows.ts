import type {DatabaseSync, StatementSync} from 'node:sqlite'
import type {ConsumerGroup} from '../engine/consumer-group.ts'
import {formatId, MAX_ID, MIN_ID, parseId} from '../engine/stream-id.ts'
import type {Stream, StreamEntry} from '../engine/stream.ts'
import {encodeAll} from './encoding.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Writes what has changed in streams: entries, groups and what is pending have rows of their own. */
export class StreamRows {
  readonly #addEntry: StatementSync
  readonly #removeEntry: StatementSync
  readonly #putGroup: StatementSync
  readonly #removeGroup: StatementSync
  readonly #putPending: StatementSync
  readonly #removePending: StatementSync
  readonly #removeGroupPending: StatementSync
  readonly #removeAll: readonly StatementSync[]

  constructor(file: DatabaseSync) {
    this.#addEntry = file.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)')
    this.#removeEntry = file.prepare('DELETE FROM entries WHERE stream = ? AND ms = ? AND seq = ?')
    this.#putGroup = file.prepare('INSERT OR REPLACE INTO groups VALUES (?, ?, ?)')
    this.#removeGroup = file.prepare('DELETE FROM groups WHERE stream = ? AND name = ?')
    this.#putPending = file.prepare('INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.#removePending = file.prepare('DELETE FROM pending WHERE stream = ? AND name = ? AND ms = ? AND seq = ?')
    this.#removeGroupPending = file.prepare('DELETE FROM pending WHERE stream = ? AND name = ?')
    this.#removeAll = ['entries', 'groups', 'pending'].map(table =>
      file.prepare(`DELETE FROM ${table} WHERE stream = ?`)
    )
  }

  /** The changes of a stream; the caller marks them as written when the transaction is over. */
  write(stream: Stream): void {
    const {changes, serial} = stream
    if (changes === undefined) return
    if (changes.isWhole) {
      this.drop(serial)
      for (const entry of stream.range(MIN_ID, MAX_ID)) this.#add(serial, entry)
      for (const group of stream.groups.values()) this.#writeGroup(serial, group, true)
      return
    }
    const gone = new Set(changes.removed.map(formatId))
    for (const entry of changes.added) if (gone.size === 0 || !gone.delete(formatId(entry))) this.#add(serial, entry)
    for (const id of gone) {
      const {ms, seq} = parseId(id)
      this.#removeEntry.run(serial, ms, seq)
    }
    for (const name of changes.groups) {
      const group = stream.groups.get(name)
      if (group !== undefined) this.#writeGroup(serial, group, group.isNew)
      else {
        this.#removeGroup.run(serial, bytes(name))
        this.#removeGroupPending.run(serial, bytes(name))
      }
    }
  }

  /** Deletes all rows of a stream. */
  drop(serial: number): void {
    for (const statement of this.#removeAll) statement.run(serial)
  }

  #add(serial: number, {ms, seq, fields}: StreamEntry): void {
    this.#addEntry.run(serial, ms, seq, encodeAll(fields))
  }

  #writeGroup(serial: number, group: ConsumerGroup, isWhole: boolean): void {
    const name = bytes(group.name)
    const consumers = [...group.consumers].flatMap(([consumer, {seenAt}]) => [consumer, seenAt.toString()])
    const state = [formatId(group.lastId), group.entriesRead?.toString() ?? '', ...consumers]
    this.#putGroup.run(serial, name, encodeAll(state))
    if (isWhole) this.#removeGroupPending.run(serial, name)
    for (const id of isWhole ? group.pending.keys() : (group.changed ?? [])) {
      const entry = group.pending.get(id)
      const {ms, seq} = entry ?? parseId(id)
      if (entry === undefined) this.#removePending.run(serial, name, ms, seq)
      else this.#putPending.run(serial, name, ms, seq, bytes(entry.consumer), entry.deliveredAt, entry.deliveries)
    }
  }
}
