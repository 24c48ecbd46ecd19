import type {DatabaseSync} from 'node:sqlite'
import {closeSync, openSync} from 'node:fs'
import {pragma} from '../../../platform/database-file.ts'
import {dirname} from 'node:path'
import {loadSqlite} from '../../../platform/experimental.ts'
import {makeFolder} from '../../../platform/make-folder.ts'

/** Result codes of SQLite (https://sqlite.org/rescode.html), without their extensions. */
const BUSY = 5
const CORRUPT = 11
const NOT_A_DATABASE = 26

/** The primary result code of an error of SQLite; 0 for other errors. */
const resultOf = (error: unknown): number =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0

export const isBusy = (error: unknown): boolean => resultOf(error) === BUSY

export const isDamaged = (error: unknown): boolean => [CORRUPT, NOT_A_DATABASE].includes(resultOf(error))

/** The version of the tables below. A file with a higher one was written by a newer Pillion. */
const VERSION = 2
/** Marks our files ("Pill"). */
const APPLICATION = 0x50696c6c

/** Pages of the write-ahead log after which it is moved into the file, which waits for the disk: 16 MB. */
const LOG_PAGES = 4000

/** Rows are found by their number: an index by name would be written all over with each batch of new keys. */
const KEYS = 'CREATE TABLE keys (id INTEGER PRIMARY KEY, db INTEGER, key BLOB, type TEXT, expires INTEGER, value BLOB)'

/**
 * Keys and values are bytes. A stream is named by its serial number, so that renaming its key moves nothing; each entry,
 * group and pending entry has a row.
 */
const TABLES = `
  ${KEYS};
  CREATE TABLE entries (stream INTEGER, ms INTEGER, seq INTEGER, fields BLOB, PRIMARY KEY (stream, ms, seq)) WITHOUT ROWID;
  CREATE TABLE groups (stream INTEGER, name BLOB, state BLOB, PRIMARY KEY (stream, name)) WITHOUT ROWID;
  CREATE TABLE pending (
    stream INTEGER, name BLOB, ms INTEGER, seq INTEGER, consumer BLOB, deliveredAt INTEGER, deliveries INTEGER,
    PRIMARY KEY (stream, name, ms, seq)
  ) WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION};
  PRAGMA user_version = ${VERSION};
`

/** The first version found keys by an index. */
const FROM_VERSION_1 = `
  ALTER TABLE keys RENAME TO before;
  ${KEYS};
  INSERT INTO keys SELECT rowid, * FROM before ORDER BY rowid;
  DROP TABLE before;
  PRAGMA user_version = ${VERSION};
`

/** The file was written by a newer version, or by another program. */
export class ForeignFile extends Error {}

/**
 * Opens the file, or begins one, and locks it for this process. The lock is the system's: it ends with the process, however
 * that ends. Throws an error of SQLite (`isBusy`, `isDamaged`), a ForeignFile, or an error of the file system.
 */
export function openKeyFile(path: string): DatabaseSync {
  makeFolder(dirname(path), 0o700)
  closeSync(openSync(path, 'a', 0o600))
  const {DatabaseSync} = loadSqlite()
  const file = new DatabaseSync(path, {timeout: 0})
  try {
    // WAL without shared memory: a transaction costs no sync, and a killed process loses none that was committed.
    file.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    file.exec(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`)
    file.exec('BEGIN IMMEDIATE')
    const [version, application] = [pragma(file, 'user_version'), pragma(file, 'application_id')]
    const isEmpty = file.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count'] === 0
    if (!isEmpty && application !== APPLICATION) throw new ForeignFile('it was written by another program')
    if (version > VERSION) throw new ForeignFile('it was written by a newer version of Pillion')
    if (isEmpty) file.exec(TABLES)
    else if (version === 1) file.exec(FROM_VERSION_1)
    file.exec('COMMIT')
    return file
  } catch (error) {
    file.close()
    throw error
  }
}
