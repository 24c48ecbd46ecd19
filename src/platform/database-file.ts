import {closeSync, existsSync, openSync, readFileSync, renameSync, statSync} from 'node:fs'
import type {DatabaseSync} from 'node:sqlite'
import {dirname} from 'node:path'
import {orElse} from '../model/or-else.ts'
import {loadSqlite} from './experimental.ts'
import {makeFolder} from './make-folder.ts'

/** Minimum number of free pages to release, if they are also half of the file. */
const MANY_PAGES = 10_000

/** Result codes of SQLite (https://sqlite.org/rescode.html), without their extensions. */
export const BUSY = 5
export const CORRUPT = 11
export const TOO_BIG = 18
const NOT_A_DATABASE = 26

/** The primary result code of an error of SQLite; 0 for other errors. */
export const resultOf = (error: unknown): number =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0

/** Whether another process has locked the database. */
export const isBusy = (error: unknown): boolean => resultOf(error) === BUSY

/** The error of a file that a newer version or another program has written. */
class ForeignFile extends Error {}

/** Explains why a file is not a usable one of Pillion; '': another error. */
export const whyUseless = (error: unknown): string =>
  error instanceof ForeignFile
    ? error.message
    : [CORRUPT, NOT_A_DATABASE].includes(resultOf(error))
      ? 'it is damaged'
      : ''

/**
 * Opens a file with this mark (`application_id`), or creates one, and locks it for this process; the system releases the lock when the
 * process ends in any way. `steps`: each changes the tables from one version to the next. Throws an error of SQLite or of the file
 * system, or one that `whyUseless` explains.
 */
export function openOwn(path: string, application: number, steps: readonly string[]): DatabaseSync {
  if (path !== ':memory:') {
    makeFolder(dirname(path), 0o700)
    tryOpening(path)
  }
  const {DatabaseSync: Database} = loadSqlite()
  const database = new Database(path, {timeout: 0})
  try {
    // WAL without shared memory: a transaction needs no fsync, and a killed process loses no committed one
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    // moves the log into the file only at 16 MB, since that waits for the disk and blocks the event loop
    database.exec('PRAGMA wal_autocheckpoint = 4000; BEGIN IMMEDIATE')
    const [version, mark] = [pragma(database, 'user_version'), pragma(database, 'application_id')]
    const isEmpty = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count'] === 0
    if (!isEmpty && mark !== application) throw new ForeignFile('it was written by another program')
    if (version > steps.length) throw new ForeignFile('it was written by a newer version of Pillion')
    // writes only if necessary, so that a valid file opens on a full disk, too
    if (version < steps.length) {
      database.exec(steps.slice(version).join(''))
      database.exec(`PRAGMA application_id = ${application}; PRAGMA user_version = ${steps.length}`)
    }
    database.exec('COMMIT')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Opens a path as often as SQLite does, to throw the system's error: SQLite only reports that it cannot open the file. */
function tryOpening(path: string): void {
  const opened: number[] = []
  try {
    while (opened.length < 4) opened.push(openSync(path, 'a', 0o600))
  } finally {
    for (const each of opened) closeSync(each)
  }
}

/** Returns the number that a PRAGMA of SQLite reports, such as `user_version`. */
export const pragma = (database: DatabaseSync, name: string): number =>
  Number(database.prepare(`PRAGMA ${name}`).get()?.[name])

/** Releases the space of removed rows if it is half of a large file. Blocks the event loop. Returns a text for the user; '': not done. */
export function shrink(database: DatabaseSync): string {
  const [free, pages, begun] = [pragma(database, 'freelist_count'), pragma(database, 'page_count'), performance.now()]
  if (free < MANY_PAGES || free * 2 < pages) return ''
  // a full disk has no room for the smaller file: a later run tries again
  for (const step of ['VACUUM', 'PRAGMA wal_checkpoint(TRUNCATE)']) orElse(() => database.exec(step), undefined)
  const bytes = (pages - pragma(database, 'page_count')) * pragma(database, 'page_size')
  return bytes === 0
    ? ''
    : `is ${Math.round(bytes / 1e6)} MB smaller: what was removed is given back, in ${Math.round(performance.now() - begun)} ms`
}

/** Renames an unusable database with its journals. Returns the new name. */
export function setAside(path: string): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  let kept = `${path}.${stamp}`
  for (let count = 2; existsSync(kept); count++) kept = `${path}.${stamp}-${count}`
  renameSync(path, kept)
  for (const suffix of ['-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, kept + suffix)
  return kept
}

/**
 * Whether a process of this machine has locked a SQLite file (proc_locks(5)). Undefined if the system does not report it. To SQLite, a
 * file system without locks (NFS without lockd) looks like a lock of another program.
 */
export function isLockedHere(path: string): boolean | undefined {
  try {
    const locks = readFileSync('/proc/locks', 'latin1')
    return [path, `${path}-shm`, `${path}-wal`].some(each => {
      const stat = statSync(each, {throwIfNoEntry: false})
      return stat !== undefined && locks.includes(`:${stat.ino} `)
    })
  } catch {
    return undefined
  }
}

/** Explains why a SQLite file cannot be locked although no process of this machine has locked it; '': one has, or unknown. */
export const whyWithoutLocks = (path: string, isLocked = isLockedHere(path)): string =>
  isLocked === false
    ? `${path} cannot be locked, and no process of this machine holds it: another machine does, or its file system has no locks (NFS without lockd)`
    : ''
