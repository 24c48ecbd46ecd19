import type {DatabaseSync, StatementSync} from 'node:sqlite'
import {isShortage, messageOf} from '../model/errors.ts'
import {BUSY, CORRUPT, openOwn, resultOf, setAside, whyUseless, whyWithoutLocks} from '../platform/database-file.ts'
import {STEPS} from './tables.ts'

/** Marks our files ("PilW"). */
const APPLICATION = 0x50696c57

const PERMISSION = 3
const LOCKED = 6
const OUT_OF_MEMORY = 7
const READ_ONLY = 8
const INPUT_OUTPUT = 10
const FULL = 13
const CANNOT_OPEN = 14
/** Errors that may have passed a second later. */
const PASSING: ReadonlySet<number> = new Set([BUSY, LOCKED, OUT_OF_MEMORY, READ_ONLY, INPUT_OUTPUT, FULL, CANNOT_OPEN])

/** The file cannot be written now: the change was not stored, and may be repeated. */
export class WriteFault extends Error {}

type Warn = (text: string) => void

/**
 * Work that outlives a run, in one file. The changes of one tick of the event loop share a transaction: when a change resolves it has
 * been committed, and survives the end of this process, however it ends. A change that throws is undone alone.
 */
export class WorkFile {
  readonly database: DatabaseSync
  /** Called after each commit, before the changes resolve. */
  readonly #committed: (() => void)[] = []
  /** Called when a change is undone: data read before may be wrong. */
  readonly #undone: (() => void)[] = []
  /** Actions of this tick's changes for after the commit. */
  readonly #after: (() => void)[] = []
  #waiting: PromiseWithResolvers<void> | undefined
  /** A change is running now. */
  isInChange = false
  #commit: NodeJS.Immediate | undefined
  readonly #beginning: StatementSync
  readonly #committing: StatementSync
  readonly #saving: StatementSync
  readonly #releasing: StatementSync
  readonly #written: StatementSync

  constructor(database: DatabaseSync) {
    this.database = database
    this.#beginning = database.prepare('BEGIN IMMEDIATE')
    this.#committing = database.prepare('COMMIT')
    this.#saving = database.prepare('SAVEPOINT change')
    this.#releasing = database.prepare('RELEASE change')
    this.#written = database.prepare('SELECT total_changes() AS rows')
  }

  /** Opens the file. Without a path, or if another run has it or it cannot be written, everything stays in memory. A damaged file is renamed. */
  static async open(path: string | undefined, warn: Warn): Promise<WorkFile> {
    if (path === undefined) return begun(':memory:')
    try {
      return begunAside(path, warn)
    } catch (error) {
      const isHeld = resultOf(error) === BUSY
      if (!isHeld && !isUnwritable(error)) throw error
      const why = isHeld
        ? whyWithoutLocks(path) || `another run of this template, or another program, holds ${path}`
        : `${path} cannot be written: ${messageOf(error)}`
      warn(`${why}: what this run takes on (workflows, jobs, reminders) is kept in memory alone`)
      return begun(':memory:')
    }
  }

  /** Opens the file and reads it with `use`. If that finds it damaged, the file is renamed, too, and `use` gets a new one. */
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
    return this.#waiting !== undefined
  }

  /** Resolves when no change waits for its commit: data read then are kept. */
  async settled(): Promise<void> {
    await this.#waiting?.promise.catch(() => undefined)
  }

  onCommit(listener: () => void): void {
    this.#committed.push(listener)
  }

  onUndone(listener: () => void): void {
    this.#undone.push(listener)
  }

  /** Runs an action once the change that calls this is committed, never if it is undone; outside of a change at once. */
  afterCommit(action: () => void): void {
    if (this.isInChange) this.#after.push(action)
    else action()
  }

  /**
   * Changes the file in the transaction of this tick. Resolves with the result after the commit. Rejects with errors of `work`, and with
   * a WriteFault if the file cannot be written now.
   */
  async change<T>(work: () => T): Promise<T> {
    const {promise} = (this.#waiting ??= this.#begin())
    const result = this.#apart(work)
    await promise
    return result
  }

  #begin(): PromiseWithResolvers<void> {
    try {
      this.#beginning.run()
    } catch (cause) {
      throw this.#explained(cause)
    }
    const waiting = Promise.withResolvers<void>()
    // each change reports a failure itself; this promise must not count as an unhandled rejection
    waiting.promise.catch(() => undefined)
    this.#commit = setImmediate(() => this.flush())
    return waiting
  }

  /** Runs `work` in a savepoint: if it throws, its own writes alone are undone. */
  #apart<T>(work: () => T): T {
    const before = this.#writtenRows
    const {length} = this.#after
    try {
      this.#saving.run()
      this.isInChange = true
      const result = work()
      this.#releasing.run()
      return result
    } catch (cause) {
      const error = this.#explained(cause)
      this.#after.length = length
      const isWritten = this.#writtenRows > before || resultOf(cause) > 0
      try {
        this.database.exec('ROLLBACK TO change; RELEASE change')
      } catch {
        this.#undo(error) // SQLite has given up the transaction
        throw error
      }
      if (isWritten) for (const listener of this.#undone) listener()
      throw error
    } finally {
      this.isInChange = false
    }
  }

  /** Number of rows written since the opening, undone ones included. */
  get #writtenRows(): number {
    return Number(this.#written.get()?.['rows'])
  }

  flush(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    clearImmediate(this.#commit)
    try {
      this.#committing.run()
    } catch (error) {
      this.#undo(this.#explained(error))
      return
    }
    this.#waiting = undefined
    waiting.resolve()
    for (const action of this.#after.splice(0)) action()
    for (const listener of this.#committed) listener()
  }

  empty(): void {
    const tables = this.database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    // all tables or none: wake-ups of removed rows would meet new rows with the same keys
    const all = tables.map(({name}) => `DELETE FROM "${String(name)}";`).join('')
    this.database.exec(`BEGIN; ${all} COMMIT; VACUUM`)
  }

  close(): void {
    this.flush()
    this.database.close()
  }

  /** Adds the file's name and advice to SQLite's error for a file that cannot be written. */
  #explained(cause: unknown): unknown {
    const path = this.database.isOpen ? (this.database.location() ?? 'the memory for what outlives a run') : ''
    const code = resultOf(cause)
    if (code === CORRUPT)
      return new Error(`${path} is damaged. Nothing of this was kept; end the run and move the file away`, {cause})
    if (!PASSING.has(code)) return cause
    const why = code === FULL ? 'the disk is full' : code === BUSY ? 'another program holds it' : messageOf(cause)
    const remedy = code === FULL ? '; make room, and try again' : ''
    return new WriteFault(`${path} cannot be written: ${why}. Nothing of this was kept${remedy}`, {cause})
  }

  #undo(error: unknown): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    this.#after.length = 0
    clearImmediate(this.#commit)
    try {
      if (this.database.isTransaction) this.database.exec('ROLLBACK')
    } catch {
      // SQLite has undone it by itself
    }
    waiting?.reject(error)
    for (const listener of this.#undone) listener()
  }
}

const begun = (path: string): WorkFile => new WorkFile(openOwn(path, APPLICATION, STEPS))

/** Opens a file. Renames a damaged or foreign one first. */
function begunAside(path: string, warn: Warn): WorkFile {
  try {
    return begun(path)
  } catch (error) {
    const why = whyUseless(error)
    if (why === '') throw error
    warn(`${path} cannot be read: ${why}. It is kept as ${setAside(path)}; a new file is begun`)
    return begun(path)
  }
}

const isUnwritable = (error: unknown): boolean =>
  (error instanceof Error && 'syscall' in error && !isShortage(error)) ||
  [PERMISSION, READ_ONLY, INPUT_OUTPUT, FULL, CANNOT_OPEN].includes(resultOf(error))
