import type {DatabaseSync} from 'node:sqlite'
import {isShortage, messageOf} from '../model/errors.ts'
import {BUSY, CORRUPT, openOwn, resultOf, setAside, whyUseless, whyWithoutLocks} from '../platform/database-file.ts'
import {column, Statements} from './rows.ts'
import {STEPS} from './tables.ts'

/** SQLite's `application_id` of our files ("PilW"). */
const APPLICATION = 0x50696c57

/* Result codes of SQLite (https://sqlite.org/rescode.html). */
const PERMISSION = 3
const LOCKED = 6
const OUT_OF_MEMORY = 7
const READ_ONLY = 8
const INPUT_OUTPUT = 10
const FULL = 13
const CANNOT_OPEN = 14
/** Errors after which a later try may succeed. */
const TEMPORARY: ReadonlySet<number> = new Set([
  BUSY,
  LOCKED,
  OUT_OF_MEMORY,
  READ_ONLY,
  INPUT_OUTPUT,
  FULL,
  CANNOT_OPEN
])

/** The error of a change that could not be written now: it was not stored, and may be tried again. */
export class WriteFault extends Error {}

type Warn = (text: string) => void

/**
 * The SQLite file of workflows, jobs, reminders and outbox events, which outlive a run. All changes of one tick of the event loop share a
 * transaction, which `flush` commits after the tick. Each change resolves after the commit: from then on it survives a crash of this
 * process. A change that throws is undone alone.
 */
export class WorkFile {
  readonly database: DatabaseSync
  readonly #commitListeners: (() => void)[] = []
  readonly #undoListeners: (() => void)[] = []
  /** Actions to run after the commit of the open transaction. */
  readonly #afterCommit: (() => void)[] = []
  /** Settles when the open transaction is committed or rolled back; undefined: no transaction is open. */
  #transaction: PromiseWithResolvers<void> | undefined
  /** The planned `flush` of the open transaction. */
  #flushTimer: NodeJS.Immediate | undefined
  /** Whether the callback of a change is running now. */
  isInChange = false
  readonly #sql: Statements

  constructor(database: DatabaseSync) {
    this.database = database
    this.#sql = new Statements(database)
  }

  /** Opens the file, or a database in memory: without a path, if another run has the file, or if it cannot be written. Renames a damaged file. */
  static async open(path: string | undefined, warn: Warn): Promise<WorkFile> {
    if (path === undefined) return openAt(':memory:')
    try {
      return openOrReplace(path, warn)
    } catch (error) {
      const isHeld = resultOf(error) === BUSY
      if (!isHeld && !isUnwritable(error)) throw error
      const why = isHeld
        ? whyWithoutLocks(path) || `another run of this template, or another program, holds ${path}`
        : `${path} cannot be written: ${messageOf(error)}`
      warn(`${why}: what this run takes on (workflows, jobs, reminders) is kept in memory alone`)
      return openAt(':memory:')
    }
  }

  /** Opens the file and passes it to `use`, which reads it. If `use` finds it damaged, renames it and passes a new one. */
  static async openFor<T>(path: string | undefined, warn: Warn, use: (file: WorkFile) => T): Promise<T> {
    const file = await WorkFile.open(path, warn)
    try {
      return use(file)
    } catch (error) {
      file.database.close()
      if (path === undefined || resultOf(error) !== CORRUPT) throw error
      warn(`${path} cannot be read: it is damaged. It is kept as ${setAside(path)}; a new file is begun`)
      return use(await WorkFile.open(path, warn))
    }
  }

  /** Whether changes wait for their commit. */
  get isChanging(): boolean {
    return this.#transaction !== undefined
  }

  /** Resolves when the open transaction has ended: until then, reads return data that may be rolled back. */
  async settled(): Promise<void> {
    await this.#transaction?.promise.catch(() => undefined)
  }

  /** Calls the listener after each commit, before the changes resolve. */
  onCommit(listener: () => void): void {
    this.#commitListeners.push(listener)
  }

  /** Calls the listener when a change is undone: data that it has read since may be wrong. */
  onUndone(listener: () => void): void {
    this.#undoListeners.push(listener)
  }

  /** Runs an action after the commit of the change that calls this, never if that is undone. Outside of a change, runs it at once. */
  afterCommit(action: () => void): void {
    if (this.isInChange) this.#afterCommit.push(action)
    else action()
  }

  /**
   * Runs `work`, which changes the file, at once in the transaction of this tick. Resolves with its result after the commit. Rejects with
   * errors of `work`, and with a WriteFault if the file cannot be written now.
   */
  async change<T>(work: () => T): Promise<T> {
    const {promise} = (this.#transaction ??= this.#begin())
    const result = this.#inSavepoint(work)
    await promise
    return result
  }

  #begin(): PromiseWithResolvers<void> {
    try {
      this.#sql.run('BEGIN IMMEDIATE')
    } catch (cause) {
      throw this.#explained(cause)
    }
    const transaction = Promise.withResolvers<void>()
    // each change reports a failure itself; this promise must not count as an unhandled rejection
    transaction.promise.catch(() => undefined)
    this.#flushTimer = setImmediate(() => this.flush())
    return transaction
  }

  /** Runs `work` in a savepoint: if it throws, its own writes alone are undone. */
  #inSavepoint<T>(work: () => T): T {
    const before = this.#writtenRows
    const {length} = this.#afterCommit
    try {
      this.#sql.run('SAVEPOINT change')
      this.isInChange = true
      const result = work()
      this.#sql.run('RELEASE change')
      return result
    } catch (cause) {
      const error = this.#explained(cause)
      this.#afterCommit.length = length
      const isWritten = this.#writtenRows > before || resultOf(cause) > 0
      try {
        this.database.exec('ROLLBACK TO change; RELEASE change')
      } catch {
        this.#rollBack(error) // SQLite has rolled back the whole transaction
        throw error
      }
      if (isWritten) for (const listener of this.#undoListeners) listener()
      throw error
    } finally {
      this.isInChange = false
    }
  }

  /** Number of rows written since the opening, undone ones included. */
  get #writtenRows(): number {
    return this.#sql.get({rows: column.number}, 'SELECT total_changes() AS rows')?.rows ?? 0
  }

  /** Commits the open transaction, if any. */
  flush(): void {
    const transaction = this.#transaction
    if (transaction === undefined) return
    clearImmediate(this.#flushTimer)
    try {
      this.#sql.run('COMMIT')
    } catch (error) {
      this.#rollBack(this.#explained(error))
      return
    }
    this.#transaction = undefined
    transaction.resolve()
    for (const action of this.#afterCommit.splice(0)) action()
    for (const listener of this.#commitListeners) listener()
  }

  /** Removes all rows. Call it while no change waits for its commit. */
  empty(): void {
    const tables = this.database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    // in one transaction: a wake-up that outlives its row could fire for another row with the same key
    const all = tables.map(({name}) => `DELETE FROM "${String(name)}";`).join('')
    this.database.exec(`BEGIN; ${all} COMMIT; VACUUM`)
  }

  close(): void {
    this.flush()
    this.database.close()
  }

  /** Translates SQLite's error for a damaged file, or one that cannot be written, into one with the path and advice. */
  #explained(cause: unknown): unknown {
    const path = this.database.isOpen ? (this.database.location() ?? 'the memory for what outlives a run') : ''
    const code = resultOf(cause)
    if (code === CORRUPT)
      return new Error(`${path} is damaged. Nothing of this was kept; end the run and move the file away`, {cause})
    if (!TEMPORARY.has(code)) return cause
    const why = code === FULL ? 'the disk is full' : code === BUSY ? 'another program holds it' : messageOf(cause)
    const remedy = code === FULL ? '; make room, and try again' : ''
    return new WriteFault(`${path} cannot be written: ${why}. Nothing of this was kept${remedy}`, {cause})
  }

  /** Undoes all changes of the open transaction: they reject with this error. */
  #rollBack(error: unknown): void {
    const transaction = this.#transaction
    this.#transaction = undefined
    this.#afterCommit.length = 0
    clearImmediate(this.#flushTimer)
    try {
      if (this.database.isTransaction) this.database.exec('ROLLBACK')
    } catch {
      // SQLite has rolled it back by itself
    }
    transaction?.reject(error)
    for (const listener of this.#undoListeners) listener()
  }
}

const openAt = (path: string): WorkFile => new WorkFile(openOwn(path, APPLICATION, STEPS))

/** Opens a file. If it is damaged, or of another program, renames it and creates a new one. */
function openOrReplace(path: string, warn: Warn): WorkFile {
  try {
    return openAt(path)
  } catch (error) {
    const why = whyUseless(error)
    if (why === '') throw error
    warn(`${path} cannot be read: ${why}. It is kept as ${setAside(path)}; a new file is begun`)
    return openAt(path)
  }
}

const isUnwritable = (error: unknown): boolean =>
  (error instanceof Error && 'syscall' in error && !isShortage(error)) ||
  [PERMISSION, READ_ONLY, INPUT_OUTPUT, FULL, CANNOT_OPEN].includes(resultOf(error))
