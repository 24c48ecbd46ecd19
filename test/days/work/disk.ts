import {DatabaseSync, type StatementSync} from 'node:sqlite'
import {STEPS} from '../../../src/work/tables.ts'

/** Result codes of SQLite that a write may end with. */
export const FAULTS = {busy: 5, 'read-only': 8, 'i/o': 10, full: 13} as const
export type Fault = keyof typeof FAULTS

/** The run has ended at this write: whatever it still does has no effect. */
export class Crash extends Error {}

const WRITES = /^\s*(INSERT|UPDATE|DELETE|COMMIT|BEGIN)/i

/** A database in memory and its statements, which one walk after the other uses: to make them takes longer than to walk. */
class Tables {
  readonly database = new DatabaseSync(':memory:')
  readonly #statements = new Map<string, StatementSync>()
  readonly #empty: string

  constructor() {
    this.database.exec(STEPS.join(''))
    const tables = this.database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    this.#empty = tables.map(({name}) => `DELETE FROM "${String(name)}";`).join('')
  }

  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) this.#statements.set(sql, (statement = this.database.prepare(sql)))
    return statement
  }

  empty(): void {
    this.database.exec(this.#empty)
  }
}

const free: Tables[] = []

/**
 * What outlives a run: a real database in memory, which each run opens anew. Writes fail, and the run crashes, as the walk wants. What a
 * run that has crashed still does is refused.
 */
export class Disk {
  readonly #tables = free.pop() ?? new Tables()
  /** How many writes were made. */
  writes = 0
  /** Writes from now on fail so. */
  fault: Fault | undefined
  /** So many writes are made before one fails. */
  faultsAfter = 0
  /** How many have failed. */
  failures = 0
  /** The next so many writes fail; Infinity: until `fault` is taken back. */
  faults = 0
  /** SQLite gives up the whole transaction with a failure. */
  isGivenUp = false
  /** The run crashes with the write of this number … */
  crashAt = Infinity
  /** … after it has been made. */
  isAfter = false
  /** The number of the run that has it open. */
  run = 0
  isCrashed = false

  /** As a run opens it. */
  open(): DatabaseSync {
    const run = ++this.run
    this.isCrashed = false
    if (this.#tables.database.isTransaction) this.#tables.database.exec('ROLLBACK')
    const call = <T>(sql: string, work: () => T): T => {
      if (run !== this.run || this.isCrashed) throw new Crash('this run has ended')
      return WRITES.test(sql) ? this.#write(sql, work) : work()
    }
    const tables = this.#tables
    const {database} = tables
    const isOpen = (): boolean => run === this.run
    return {
      get isOpen() {
        return isOpen()
      },
      get isTransaction() {
        return database.isTransaction
      },
      location: () => null,
      exec: (sql: string) => call(sql, () => database.exec(sql)),
      prepare: (sql: string) => {
        const statement = tables.prepare(sql)
        return {
          run: (...values: never[]) => call(sql, () => statement.run(...values)),
          get: (...values: never[]) => call(sql, () => statement.get(...values)),
          all: (...values: never[]) => call(sql, () => statement.all(...values))
        }
      },
      close: () => undefined
    } as unknown as DatabaseSync
  }

  /** What a query counts. */
  rows(sql: string): number {
    return Number(this.#tables.prepare(sql).get()?.['rows'])
  }

  /** The run ends here. */
  end(): void {
    this.run++
    if (this.#tables.database.isTransaction) this.#tables.database.exec('ROLLBACK')
  }

  close(): void {
    this.end()
    this.#tables.empty()
    free.push(this.#tables)
  }

  #write<T>(sql: string, work: () => T): T {
    const isCrash = ++this.writes === this.crashAt
    if (isCrash && !this.isAfter) this.#crash()
    if (this.fault !== undefined && this.faults > 0 && --this.faultsAfter < 0) {
      this.faults--
      this.failures++
      if (this.isGivenUp && this.#tables.database.isTransaction) this.#tables.database.exec('ROLLBACK')
      throw Object.assign(new Error(`${this.fault}: ${sql.slice(0, 30)}`), {errcode: FAULTS[this.fault]})
    }
    const result = work()
    if (isCrash) this.#crash()
    return result
  }

  #crash(): never {
    this.isCrashed = true
    if (this.#tables.database.isTransaction) this.#tables.database.exec('ROLLBACK')
    throw new Crash('the run is killed')
  }
}

/** The run has ended, and what it still did was in vain. */
export const isOfEnd = (error: unknown): boolean =>
  error instanceof Crash ||
  (error instanceof Error && (error.cause instanceof Crash || /run has ended|run is killed/.test(error.message)))
