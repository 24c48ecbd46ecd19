import type {ClientBase, Pool, QueryConfig, QueryResultRow} from 'pg'
import {STATE_CAPABILITIES} from '../../../files/resources/component-types.ts'
import {messageOf} from '../../../model/errors.ts'
import type {OpenComponent} from '../component.ts'
import {textNamed} from '../component-values.ts'
import {inTransaction, migrate} from '../postgresql/migrations.ts'
import {openPool} from '../postgresql/pool.ts'
import {cleanupMsOf, EtagError, type DeleteRequest, type SetRequest} from '../state-store.ts'
import type {StateItem, StateStore} from '../state-store.ts'
import {firstTable, secondTable, type StateRow, type StateTable} from './postgresql-tables.ts'

const MAX_TTL = 2 ** 31 - 1
const EXEC_MODES = ['cache_statement', 'cache_describe', 'describe_exec', 'exec', 'simple_protocol']

/** `state.postgresql` v1 and v2: tables that a sidecar of Dapr reads and writes too (components-contrib: state/postgresql). */
export const open: OpenComponent<StateStore> = async options => {
  const {properties, version, warn} = options
  const table = version === 'v2' ? secondTable(properties) : firstTable(properties)
  const cleanupMs = cleanupMsOf(properties)
  const mode = properties.text('queryExecMode') || 'cache_statement'
  if (!EXEC_MODES.includes(mode)) properties.fault('queryExecMode', `invalid queryExecMode metadata value: ${mode}`)
  const pool = await openPool('failed to ping the database', options)
  try {
    await migrate(pool, {metadataTable: table.metadataTable, key: table.keys.level, migrations: table.migrations})
  } catch (error) {
    await pool.end()
    throw error
  }
  return new PostgresState(pool, table, {isPrepared: mode === 'cache_statement', cleanupMs, warn})
}

interface Settings {
  /** Whether statements are prepared once for each connection. */
  readonly isPrepared: boolean
  readonly cleanupMs: number
  readonly warn: (text: string) => void
}

type Statement = 'select' | 'upsert' | 'insert' | 'update' | 'remove' | 'removeSame'
type Values = readonly (string | number | boolean | Buffer)[]

class PostgresState implements StateStore {
  readonly capabilities = STATE_CAPABILITIES
  readonly #pool: Pool
  readonly #table: StateTable
  readonly #settings: Settings
  readonly #timer: NodeJS.Timeout | undefined

  constructor(pool: Pool, table: StateTable, settings: Settings) {
    this.#pool = pool
    this.#table = table
    this.#settings = settings
    const {cleanupMs} = settings
    if (cleanupMs > 0) this.#timer = setInterval(() => void this.#clean(cleanupMs), cleanupMs).unref()
  }

  async get(key: string): Promise<StateItem | undefined> {
    const {rows} = await this.#pool.query<StateRow>(this.#query('select', [key]))
    const [row] = rows
    if (row === undefined) return undefined
    return {
      data: this.#table.dataOf(row),
      etag: row.etag ?? '',
      metadata: row.expires === null ? {} : {ttlExpireTime: `${row.expires.toISOString().slice(0, 19)}Z`}
    }
  }

  readonly set = async (request: SetRequest): Promise<void> => this.#put(this.#pool, request)
  readonly delete = async (request: DeleteRequest): Promise<void> => this.#drop(this.#pool, request)

  async transact(operations: Parameters<StateStore['transact']>[0]): Promise<void> {
    await inTransaction(this.#pool, async client => {
      for (const operation of operations) {
        if (operation.kind === 'upsert') await this.#put(client, operation.request)
        else await this.#drop(client, operation.request)
      }
    })
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#pool.end()
  }

  async #put(on: Pool | ClientBase, request: SetRequest): Promise<void> {
    const {key, etag, options} = request
    const values = [key, ttlOf(request), ...this.#table.valuesOf(request)]
    if (etag === '') {
      const isFirst = options.concurrency === 'first-write'
      const count = await this.#run(on, isFirst ? 'insert' : 'upsert', values)
      if (count !== 1) throw new Error('no item was updated')
      return
    }
    this.#table.checkEtag(etag)
    if ((await this.#run(on, 'update', [...values, etag])) !== 1) throw new EtagError('mismatch', '')
  }

  async #drop(on: Pool | ClientBase, {key, etag}: DeleteRequest): Promise<void> {
    if (etag === '') return void (await this.#run(on, 'remove', [key]))
    this.#table.checkEtag(etag)
    if ((await this.#run(on, 'removeSame', [key, etag])) !== 1) throw new EtagError('mismatch', '')
  }

  /** Runs a statement. Returns the number of changed rows. */
  async #run(on: Pool | ClientBase, statement: Statement, values: Values): Promise<number> {
    const {rowCount} = await on.query<QueryResultRow>(this.#query(statement, values))
    return rowCount ?? 0
  }

  #query(statement: Statement, values: Values): QueryConfig {
    const text = this.#table[statement]
    return this.#settings.isPrepared ? {name: statement, text, values: [...values]} : {text, values: [...values]}
  }

  /** Removes expired items, unless another sidecar has done so lately. */
  async #clean(intervalMs: number): Promise<void> {
    const {metadataTable, keys, removeExpired} = this.#table
    try {
      const {rowCount} = await this.#pool.query(
        `INSERT INTO ${metadataTable} AS m (key, value) VALUES ($1, now()::text) ON CONFLICT (key) DO UPDATE SET value = now()::text
          WHERE extract('epoch' FROM now() - m.value::timestamp with time zone) * 1000 > $2`,
        // timers are not exact
        [keys.cleanup, intervalMs - 100]
      )
      if (rowCount === 1) await this.#pool.query(removeExpired)
    } catch (error) {
      this.#settings.warn(`Error removing expired data: ${messageOf(error)}`)
    }
  }
}

/** Reads the time to live in seconds; 0: forever. Errors in Dapr's words (components-contrib: state/utils/ttl.go). */
function ttlOf({metadata}: SetRequest): number {
  const text = textNamed(metadata, 'ttlInSeconds')
  if (text === '') return 0
  const failure = "error parsing TTL: incorrect value for metadata 'ttlInSeconds'"
  if (!/^[-+]?\d+$/.test(text))
    throw new Error(`${failure}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  if (Number(text) < -1 || Number(text) > MAX_TTL) throw new Error(`${failure}: must be -1 or greater`)
  return Math.max(0, Number(text))
}
