import type {DatabaseSync, StatementSync} from 'node:sqlite'
import type {Database} from '../engine/database.ts'
import {Stream} from '../engine/stream.ts'
import {encodeValue} from './encoding.ts'
import type {StoredStreams} from './load.ts'
import {StreamRows} from './stream-rows.ts'

type Changed = ReadonlyMap<Database, ReadonlySet<string>>

/** Writes changed keys to the file, all in one transaction. */
export class KeyWriter {
  readonly #file: DatabaseSync
  readonly #put: StatementSync
  readonly #remove: StatementSync
  readonly #rows: StreamRows
  /** Which stream each key has in the file. */
  readonly #serials = new Map<string, number>()

  constructor(file: DatabaseSync, stored: StoredStreams) {
    this.#file = file
    this.#put = file.prepare(
      'INSERT INTO keys VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET type = ?3, expires = ?4, value = ?5'
    )
    this.#remove = file.prepare('DELETE FROM keys WHERE db = ? AND key = ?')
    this.#rows = new StreamRows(file)
    for (const [serial, {database, key}] of stored) this.#serials.set(placeOf(database, key), serial)
  }

  /** Throws an error of SQLite; then nothing has been written. */
  write(changed: Changed): void {
    const moves: (() => void)[] = []
    const streams: Stream[] = []
    this.#file.exec('BEGIN IMMEDIATE')
    try {
      for (const [database, keys] of changed)
        for (const key of keys) {
          const value = this.#writeKey(database, key)
          const place = placeOf(database.index, key)
          if (value instanceof Stream) {
            streams.push(value)
            this.#rows.write(value)
          }
          moves.push(() => this.#move(place, value instanceof Stream ? value.serial : undefined))
        }
      for (const serial of this.#lost(changed, new Set(streams.map(({serial: each}) => each)))) this.#rows.drop(serial)
      this.#file.exec('COMMIT')
    } catch (error) {
      if (this.#file.isTransaction) this.#file.exec('ROLLBACK')
      for (const stream of streams) stream.rewrite()
      throw error
    }
    for (const move of moves) move()
    for (const stream of streams) stream.written()
  }

  close(): void {
    this.#file.close()
  }

  #writeKey(database: Database, key: string): ReturnType<Database['get']> {
    const value = database.peek(key)
    const name = Buffer.from(key, 'latin1')
    if (value === undefined) this.#remove.run(database.index, name)
    else {
      const {type, bytes} = encodeValue(value)
      this.#put.run(database.index, name, type, database.expiresAt(key) ?? null, bytes)
    }
    return value
  }

  /** Streams that were stored at one of these keys and are nowhere any more. */
  #lost(changed: Changed, kept: ReadonlySet<number>): readonly number[] {
    const lost: number[] = []
    for (const [database, keys] of changed)
      for (const key of keys) {
        const serial = this.#serials.get(placeOf(database.index, key))
        if (serial !== undefined && !kept.has(serial)) lost.push(serial)
      }
    return lost
  }

  #move(place: string, serial: number | undefined): void {
    if (serial === undefined) this.#serials.delete(place)
    else this.#serials.set(place, serial)
  }
}

const placeOf = (database: number, key: string): string => `${database.toString()} ${key}`
