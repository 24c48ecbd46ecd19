import {isUtf8} from 'node:buffer'
import {randomUUID} from 'node:crypto'
import type {DatabaseSync, StatementSync} from 'node:sqlite'
import {STATE_CAPABILITIES} from '../../../files/resources/component-types.ts'
import {messageOf} from '../../../model/errors.ts'
import {isBusy} from '../../../platform/database-file.ts'
import {pause} from '../../../platform/delay.ts'
import {loadSqlite} from '../../../platform/experimental.ts'
import type {OpenComponent} from '../component.ts'
import type {Properties} from '../properties.ts'
import {isReadOnly, sqliteFile} from './sqlite-file.ts'
import {checkEtag, cleanupMsOf, TransactedState, ttlOf, type SetRequest, type StateItem} from '../state-store.ts'
import type {StateOperation, StateStore} from '../state-store.ts'

const DEFAULT_BUSY_MS = 2000

/** `state.sqlite`: a file whose tables a sidecar of Dapr reads and writes too (components-contrib: state/sqlite). */
export const open: OpenComponent<StateStore> = async ({properties, folder}) => {
  const names = {
    state: tableName(properties, 'tableName', 'state'),
    metadata: tableName(properties, 'metadataTableName', 'metadata')
  }
  const busyMs = properties.durationMs('busyTimeout', DEFAULT_BUSY_MS, 1000)
  const cleanupMs = cleanupMsOf(properties)
  const isPlain = properties.boolean('disableWAL')
  const path = sqliteFile(properties, folder)
  const {DatabaseSync: Database} = loadSqlite()
  let database: DatabaseSync | undefined
  try {
    // SQLite would wait for a lock on the thread that carries all calls
    const opened = (database = new Database(path, {timeout: 0, readOnly: isReadOnly(properties)}))
    if (!isReadOnly(properties)) await whenFree(busyMs, () => prepare(opened, names, isPlain))
    return await whenFree(busyMs, () => new SqliteState(opened, names, {busyMs, cleanupMs}))
  } catch (error) {
    database?.close()
    return properties.fault('connectionString', `${path} cannot be opened: ${messageOf(error)}`)
  }
}

const RETRY_MS = 10

/** Does the work as soon as no other process has the database locked; fails after `busyMs`. */
async function whenFree<T>(busyMs: number, work: () => T): Promise<T> {
  const end = performance.now() + busyMs
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= end) throw error
    }
    await pause(RETRY_MS)
  }
}

function tableName(properties: Properties, name: string, fallback: string): string {
  const text = properties.text(name) || fallback
  return /^[a-z_]\w*$/i.test(text) ? text : properties.fault(name, `${name}: "${text}" is no name of a table`)
}

interface TableNames {
  readonly state: string
  readonly metadata: string
}

/** Creates the tables; `isPlain`: without a WAL, which a file of a network that several machines write into cannot have. */
function prepare(database: DatabaseSync, {state, metadata}: TableNames, isPlain: boolean): void {
  database.exec(`PRAGMA journal_mode = ${isPlain ? 'DELETE' : 'WAL; PRAGMA synchronous = NORMAL'}`)
  database.exec(`CREATE TABLE IF NOT EXISTS ${metadata} (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS ${state} (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, is_binary BOOLEAN NOT NULL,
      etag TEXT NOT NULL, expiration_time TIMESTAMP DEFAULT NULL, update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
    INSERT INTO ${metadata} (key, value) VALUES ('migrations', '1') ON CONFLICT (key) DO NOTHING`)
}

interface Row {
  readonly value: string
  readonly is_binary: number
  readonly etag: string
  readonly expiration_time: string | null
}

const IS_FRESH = '(expiration_time IS NULL OR expiration_time > CURRENT_TIMESTAMP)'

class SqliteState extends TransactedState implements StateStore {
  readonly capabilities = STATE_CAPABILITIES
  readonly #database: DatabaseSync
  readonly #select: StatementSync
  readonly #keys: StatementSync
  readonly #upsert: StatementSync
  readonly #remove: StatementSync
  readonly #sweep: StatementSync
  readonly #timer: NodeJS.Timeout | undefined
  /** How long to wait for a lock of another process, in ms. */
  readonly #busyMs: number

  constructor(database: DatabaseSync, {state}: TableNames, {busyMs, cleanupMs}: {busyMs: number; cleanupMs: number}) {
    super()
    this.#database = database
    this.#busyMs = busyMs
    this.#select = database.prepare(
      `SELECT value, is_binary, etag, expiration_time FROM ${state} WHERE key = ? AND ${IS_FRESH}`
    )
    this.#keys = database.prepare(
      `SELECT key FROM ${state} WHERE substr(key, 1, length(?)) = ? AND ${IS_FRESH} ORDER BY key LIMIT ?`
    )
    this.#upsert = database.prepare(
      `INSERT OR REPLACE INTO ${state} (key, value, is_binary, etag, expiration_time, update_time)
        VALUES (?, ?, ?, ?, CASE WHEN ? > 0 THEN DATETIME(CURRENT_TIMESTAMP, ? || ' seconds') END, CURRENT_TIMESTAMP)`
    )
    this.#remove = database.prepare(`DELETE FROM ${state} WHERE key = ?`)
    this.#sweep = database.prepare(`DELETE FROM ${state} WHERE NOT ${IS_FRESH}`)
    if (cleanupMs > 0) this.#timer = setInterval(() => this.#clean(), cleanupMs).unref()
  }

  async get(key: string): Promise<StateItem | undefined> {
    const row = await whenFree(this.#busyMs, () => this.#row(key))
    if (row === undefined) return undefined
    return {
      data: Buffer.from(row.value, row.is_binary === 0 ? 'utf8' : 'base64'),
      etag: row.etag,
      metadata: row.expiration_time === null ? {} : {ttlExpireTime: `${row.expiration_time.replace(' ', 'T')}Z`}
    }
  }

  async keys(prefix: string, limit: number): Promise<readonly string[]> {
    const rows = await whenFree(this.#busyMs, () => this.#keys.all(prefix, prefix, limit))
    return rows.map(({key}) => String(key))
  }

  /** Writes in one transaction, as soon as no other process does. */
  async transact(operations: readonly StateOperation[]): Promise<void> {
    const ttls = operations.map(ttlOf)
    await whenFree(this.#busyMs, () => this.#write(operations, ttls))
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#database.close()
  }

  #row(key: string): Row | undefined {
    return this.#select.get(key) as Row | undefined
  }

  #write(operations: readonly StateOperation[], ttls: readonly (number | undefined)[]): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      for (const [at, operation] of operations.entries()) {
        const {etag, options, key} = operation.request
        if (etag !== '' || options.concurrency === 'first-write') checkEtag(operation, this.#row(key)?.etag)
        if (operation.kind === 'upsert') this.#put(operation.request, ttls[at])
        else this.#remove.run(operation.request.key)
      }
      this.#database.exec('COMMIT')
    } catch (error) {
      // SQLite itself rolls back when the disk is full
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #put({key, value}: SetRequest, ttl = 0): void {
    const isText = isUtf8(value)
    this.#upsert.run(key, value.toString(isText ? 'utf8' : 'base64'), isText ? 0 : 1, randomUUID(), ttl, ttl)
  }

  #clean(): void {
    try {
      this.#sweep.run()
    } catch {
      // another process is writing: the next time is soon enough
    }
  }
}
