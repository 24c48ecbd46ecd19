import {closeSync, openSync} from 'node:fs'
import {pragma, setAside, whyWithoutLocks} from '../platform/database-file.ts'
import {dirname} from 'node:path'
import type {DatabaseSync, StatementSync} from 'node:sqlite'
import {messageOf} from '../model/errors.ts'
import {makeFolder} from '../platform/make-folder.ts'
import {loadSqlite} from '../platform/experimental.ts'
import {STEPS} from './tables.ts'

/** Marks our files ("PilW"). */
const APPLICATION = 0x50696c57

/** Result codes of SQLite (https://sqlite.org/rescode.html), without their extensions. */
const PERMISSION = 3
const BUSY = 5
const LOCKED = 6
const OUT_OF_MEMORY = 7
const READ_ONLY = 8
const INPUT_OUTPUT = 10
const CORRUPT = 11
const FULL = 13
const CANNOT_OPEN = 14
const NOT_A_DATABASE = 26
/** Errors that may have passed a second later. */
const PASSING: ReadonlySet<number> = new Set([BUSY, LOCKED, OUT_OF_MEMORY, READ_ONLY, INPUT_OUTPUT, FULL, CANNOT_OPEN])

/** The file was written by a newer version, or by another program. */
class ForeignFile extends Error {}

/** The file cannot be written now: nothing of the change was kept, and it may be tried again. */
export class WriteFault extends Error {}

/** Free pages beyond this number are given back once they are half of the file. */
const MANY_PAGES = 10_000

type Warn = (text: string) => void

/**
 * What outlives a run, in one file. The changes of one tick of the event loop share a transaction: when a change resolves it has
 * been committed, and survives the end of this process, however it ends. A change that throws is undone alone.
 */
export class WorkFile {
  readonly database: DatabaseSync
  /** Called after each commit, before the changes resolve. */
  readonly #committed: (() => void)[] = []
  /** Called when something that was written is undone: what was read of the file may be wrong. */
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

  /** Opens the file. Without a path, or if another run holds it or it cannot be written, all is kept in memory. A damaged file is kept aside. */
  static async open(path: string | undefined, warn: Warn): Promise<WorkFile> {
    if (path === undefined) return begun(':memory:')
    try {
      makeFolder(dirname(path), 0o700)
      closeSync(openSync(path, 'a', 0o600))
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

  /** Opens the file and reads it with `use`: if that finds it damaged, the file is kept aside as well, and `use` gets a new one. */
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

  /** Resolves when no change waits for its commit any more: what is read then is kept. */
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
   * Changes the file in the transaction of this tick; resolves with the result when that is committed. Rejects with what `work`
   * throws, and with a WriteFault if the file cannot be written now.
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

  /** The number of rows written since the file was opened, undone ones included. */
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
    for (const {name} of tables) this.database.exec(`DELETE FROM "${String(name)}"`)
    this.database.exec('VACUUM')
  }

  /** Gives back the room of what was removed, where that is most of a large file. */
  shrink(): void {
    const free = pragma(this.database, 'freelist_count')
    if (free < MANY_PAGES || free * 2 < pragma(this.database, 'page_count')) return
    try {
      this.database.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // there is no room for the smaller file: a later run tries again
    }
  }

  close(): void {
    this.flush()
    this.database.close()
  }

  /** SQLite's error for a file that cannot be written, with its name and what to do. */
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

const begun = (path: string): WorkFile => {
  const {DatabaseSync: Database} = loadSqlite()
  return new WorkFile(prepared(new Database(path, {timeout: 0})))
}

/** Opens a file. One that is damaged, or not ours, is kept aside, and a new one created. */
function begunAside(path: string, warn: Warn): WorkFile {
  try {
    return begun(path)
  } catch (error) {
    const isForeign = error instanceof ForeignFile
    if (!isForeign && ![CORRUPT, NOT_A_DATABASE].includes(resultOf(error))) throw error
    const reason = isForeign ? error.message : 'it is damaged'
    warn(`${path} cannot be read: ${reason}. It is kept as ${setAside(path)}; a new file is begun`)
    return begun(path)
  }
}

const isUnwritable = (error: unknown): boolean =>
  (error instanceof Error && 'syscall' in error) ||
  [PERMISSION, READ_ONLY, INPUT_OUTPUT, FULL, CANNOT_OPEN].includes(resultOf(error))

function prepared(database: DatabaseSync): DatabaseSync {
  try {
    // WAL without shared memory: a transaction needs no fsync, and a killed process loses none that was committed
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    // a checkpoint at 16 MB: it syncs the file, and everything waits for that
    database.exec('PRAGMA wal_autocheckpoint = 4000')
    database.exec('BEGIN IMMEDIATE')
    const [version, application] = [pragma(database, 'user_version'), pragma(database, 'application_id')]
    const isEmpty = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count'] === 0
    if (!isEmpty && application !== APPLICATION) throw new ForeignFile('it was written by another program')
    if (version > STEPS.length) throw new ForeignFile('it was written by a newer version of Pillion')
    if (version < STEPS.length) {
      database.exec(STEPS.slice(version).join(''))
      database.exec(`PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${STEPS.length}`)
    }
    database.exec('COMMIT')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** The primary result code of an error of SQLite; 0 for other errors. */
const resultOf = (error: unknown): number =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0
