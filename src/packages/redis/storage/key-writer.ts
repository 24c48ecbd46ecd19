import type {DatabaseSync, SQLInputValue, StatementSync} from 'node:sqlite'
import {orElse} from '../../../model/or-else.ts'
import {resultOf, TOO_BIG} from '../../../platform/database-file.ts'
import type {Database, Value} from '../engine/database.ts'
import type {ChangedKeys} from '../engine/journal.ts'
import {leave} from '../engine/keyed-sets.ts'
import {Stream} from '../engine/stream.ts'
import {encodeText, encodeValue} from './encoding.ts'
import type {StoredRows} from './load.ts'
import {NOTHING, StreamRows, type WrittenRows} from './stream-rows.ts'

/** State for the writer after the transaction is in the file. */
interface Written {
  readonly streams: Stream[]
  readonly removed: [database: number, key: string][]
  /** Rows with another stream than before; undefined: none. */
  readonly moved: [row: number, serial: number | undefined][]
}

/** A removed value has no size, and a stream is written in parts. */
const mayPass = (value: Value | undefined): boolean => value === undefined || value instanceof Stream

/** Writes changed keys to the file in one transaction. The writer knows the row of each key, so the file needs no index, and new keys are appended. */
export class KeyWriter {
  readonly #file: DatabaseSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #put: StatementSync
  readonly #remove: StatementSync
  readonly #rows: StreamRows
  readonly #warn: (text: string) => void
  /** Names of keys that are too large for a row. */
  readonly #named = new Set<string>()
  /** The row of each key, by the index of its database. */
  readonly #ids: Map<string, number>[]
  /** Streams by their rows. */
  readonly #serials: Map<number, number>
  #lastId: number
  /** Streams whose rows go with the first write: on a full disk the keys can still be read. */
  #lost: ReadonlySet<number>

  constructor(file: DatabaseSync, {ids, serials, lastId, lost}: StoredRows, warn: (text: string) => void) {
    this.#file = file
    this.#warn = warn
    this.#begin = file.prepare('BEGIN IMMEDIATE')
    this.#commit = file.prepare('COMMIT')
    this.#put = file.prepare('INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?)')
    this.#remove = file.prepare('DELETE FROM keys WHERE id = ?')
    this.#rows = new StreamRows(file)
    this.#lost = lost
    this.#ids = ids
    this.#serials = serials
    this.#lastId = lastId
  }

  /**
   * Writes at most about `maxBytes` and `maxKeys`; keys in `moved` are always written. Returns the keys that are left. Throws an error of
   * SQLite; then nothing was written.
   */
  write(
    changed: ChangedKeys,
    maxBytes = Infinity,
    maxKeys = Infinity,
    moved: ReadonlySet<string> = new Set()
  ): ChangedKeys {
    const written: Written = {streams: [], removed: [], moved: []}
    const done: [database: Database, key: string][] = []
    let room = maxBytes
    let places = maxKeys
    this.#inTransaction(
      written.streams,
      () => {
        for (const serial of this.#lost) this.#rows.drop(serial)
        for (const [database, keys] of changed) {
          const put = (key: string, most: number): void => {
            places--
            const {size, isAll} = this.#writeKey(database, {key, maxBytes: most}, written)
            room -= size
            if (isAll) done.push([database, key])
          }
          for (const key of moved) if (keys.has(key)) put(key, Infinity)
          for (const key of keys) {
            if (places <= 0) break // not all are looked at: there may be hundreds of thousands
            if (!moved.has(key) && (room > 0 || mayPass(database.peek(key)))) put(key, room)
          }
        }
        this.#dropLost(written)
      },
      stream => this.#rows.retry(stream)
    )
    for (const [database, key] of done) leave(changed, database, key)
    for (const [database, key] of written.removed) this.#ids[database]?.delete(key)
    for (const [row, serial] of written.moved)
      if (serial === undefined) this.#serials.delete(row)
      else this.#serials.set(row, serial)
    for (const stream of written.streams) stream.written()
    this.#lost = new Set()
    if (room <= 0) this.#emptyLog()
    return changed
  }

  /** Moves the log into the file in small parts: otherwise SQLite would wait for the disk after each fourth transaction. */
  #emptyLog(): void {
    // after a failure committed rows stay in the log, and SQLite tries again itself
    orElse(() => this.#file.exec('PRAGMA wal_checkpoint'), undefined)
  }

  /** Whether entries of streams are left to write later. */
  get hasRest(): boolean {
    return this.#rows.unfinished.length > 0
  }

  /** Writes a part of the remaining entries of streams, or all. Throws an error of SQLite. */
  writeRest(isAll: boolean): void {
    const streams = this.#rows.unfinished
    let done: readonly Stream[] = []
    this.#inTransaction(streams, () => (done = streams.filter(stream => this.#rows.writeRest(stream, isAll))))
    for (const stream of done) {
      stream.written()
      this.#rows.finished(stream)
    }
  }

  close(): void {
    this.#file.close()
  }

  /** A key whose write failed is written as a whole the next time that it changes. */
  #inTransaction(streams: readonly Stream[], write: () => unknown, retry = (stream: Stream) => stream.rewrite()): void {
    this.#begin.run()
    try {
      write()
      this.#commit.run()
    } catch (error) {
      if (this.#file.isTransaction) this.#file.exec('ROLLBACK')
      for (const stream of streams) retry(stream)
      throw error
    }
  }

  /** Returns the size of its value, and whether all of it is written: of a stream, no more messages than `maxBytes`. */
  #writeKey(
    database: Database,
    {key, maxBytes}: {readonly key: string; readonly maxBytes: number},
    written: Written
  ): WrittenRows {
    const ids = (this.#ids[database.index] ??= new Map())
    const value = database.peek(key)
    let id = ids.get(key)
    let rows = NOTHING
    if (value instanceof Stream) {
      written.streams.push(value)
      // before its head, which counts the written rows
      rows = this.#rows.write(value, maxBytes)
    }
    let {size} = rows
    if (value === undefined) {
      if (id === undefined) return NOTHING
      this.#remove.run(id)
      written.removed.push([database.index, key])
    } else {
      if (id === undefined) {
        id = ++this.#lastId
        ids.set(key, id)
      }
      const {type, bytes} = encodeValue(value)
      const row = [id, database.index, encodeText(key), type, database.expiresAt(key) ?? null, bytes]
      size += bytes.length
      if (!this.#isPut(key, row)) return {size, isAll: true}
    }
    const serial = value instanceof Stream ? value.serial : undefined
    if (this.#serials.get(id) !== serial) written.moved.push([id, serial])
    return {size, isAll: rows.isAll}
  }

  /** Writes a row, and returns whether the file accepted it. For a key that is too large, the file keeps the earlier value. */
  #isPut(key: string, row: readonly SQLInputValue[]): boolean {
    try {
      this.#put.run(...row)
      return true
    } catch (error) {
      if (resultOf(error) !== TOO_BIG) throw error
      const name = encodeText(key).toString()
      if (!this.#named.has(name))
        this.#warn(`the key ${name} of Redis is too large for its file, which keeps what it had of it before`)
      this.#named.add(name)
      return false
    }
  }

  /** Drops the rows of streams that none of these keys has any more. */
  #dropLost({moved, streams}: Written): void {
    if (moved.length === 0) return
    const kept = new Set(streams.map(({serial}) => serial))
    for (const [row] of moved) {
      const serial = this.#serials.get(row)
      if (serial !== undefined && !kept.has(serial)) this.#rows.drop(serial)
    }
  }
}
