import {DatabaseSync} from 'node:sqlite'

/** Result codes of SQLite that a write may end with. */
export const FAULTS = {busy: 5, 'read-only': 8, 'i/o': 10, full: 13} as const
export type Fault = keyof typeof FAULTS

/** The run has ended at this write: whatever it still does has no effect. */
export class Crash extends Error {}

const WRITES = /^\s*(INSERT|UPDATE|DELETE|COMMIT|BEGIN)/i

/**
 * What outlives a run: a real database in memory, which each run opens anew. Writes fail, and the run crashes, as the walk wants. What a
 * run that has crashed still does is refused.
 */
export class Disk {
  readonly #database = new DatabaseSync(':memory:')
  /** How many writes were made. */
  writes = 0
  /** Writes from now on fail so. */
  fault: Fault | undefined
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
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    const call = <T>(sql: string, work: () => T): T => {
      if (run !== this.run || this.isCrashed) throw new Crash('this run has ended')
      return WRITES.test(sql) ? this.#write(sql, work) : work()
    }
    const database = this.#database
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
        const statement = database.prepare(sql)
        return {
          run: (...values: never[]) => call(sql, () => statement.run(...values)),
          get: (...values: never[]) => call(sql, () => statement.get(...values)),
          all: (...values: never[]) => call(sql, () => statement.all(...values))
        }
      },
      close: () => undefined
    } as unknown as DatabaseSync
  }

  /** The run ends here. */
  end(): void {
    this.run++
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
  }

  close(): void {
    this.end()
    this.#database.close()
  }

  #write<T>(sql: string, work: () => T): T {
    const isCrash = ++this.writes === this.crashAt
    if (isCrash && !this.isAfter) this.#crash()
    if (this.fault !== undefined && this.faults > 0) {
      this.faults--
      if (this.isGivenUp && this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw Object.assign(new Error(`${this.fault}: ${sql.slice(0, 30)}`), {errcode: FAULTS[this.fault]})
    }
    const result = work()
    if (isCrash) this.#crash()
    return result
  }

  #crash(): never {
    this.isCrashed = true
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    throw new Crash('the run is killed')
  }
}

/** The run has ended, and what it still did was in vain. */
export const isOfEnd = (error: unknown): boolean =>
  error instanceof Crash ||
  (error instanceof Error && (error.cause instanceof Crash || /run has ended|run is killed/.test(error.message)))
