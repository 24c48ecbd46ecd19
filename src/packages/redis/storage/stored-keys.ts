import {setTimeout as sleep} from 'node:timers/promises'
import {isShortage, messageOf} from '../../../model/errors.ts'
import {orElse} from '../../../model/or-else.ts'
import {RedisEngine} from '../engine/engine.ts'
import {DamagedRow} from './encoding.ts'
import {isBusy, setAside, shrink, whyUseless, whyWithoutLocks, openOwn} from '../../../platform/database-file.ts'
import {KeyWriter} from './key-writer.ts'
import {load} from './load.ts'
import {WriteBehind} from './write-behind.ts'
import type {DatabaseSync} from 'node:sqlite'

/** An engine whose keys are in a file, if that is possible. */
export interface StoredKeys {
  readonly engine: RedisEngine
  /** File of the keys; undefined: they are only in memory. */
  readonly file: string | undefined
  /** Explains why the requested file is not used, with its name; '': it is used. */
  readonly refusal: string
  /** Closes the engine, after the unwritten changes are in the file. */
  close(): void
}

/** Maximum number of attempts to lock the file: the process that has it may be about to end. */
const LOCK_TRIES = 20
const LOCK_PAUSE_MS = 50

/**
 * Opens the file and reads its keys. Renames a damaged or newer file, and begins a new one. If it cannot be opened, keys stay in memory.
 * `warn`: called for renamed or shrunk files, and failed writes.
 */
export async function openStoredKeys(path: string, warn: (text: string) => void): Promise<StoredKeys> {
  for (let tries = 1; ; tries++) {
    try {
      return await open(path, warn)
    } catch (error) {
      const why = error instanceof DamagedRow ? `it is damaged (${error.message})` : whyUseless(error)
      if ((isBusy(error) || isShortage(error)) && tries < LOCK_TRIES) await sleep(LOCK_PAUSE_MS)
      else if (why !== '' && tries < LOCK_TRIES)
        warn(
          `the keys of Redis in ${path} cannot be read: ${why}. They are kept in ${setAside(path)}; a new file is begun`
        )
      else {
        const busy = (): string => whyWithoutLocks(path) || `another process has ${path} open`
        return inMemory(isBusy(error) ? busy() : `${path}: ${messageOf(error)}`)
      }
    }
  }
}

export function inMemory(refusal = ''): StoredKeys {
  const engine = new RedisEngine()
  return {engine, file: undefined, refusal, close: () => engine.close()}
}

async function open(path: string, warn: (text: string) => void): Promise<StoredKeys> {
  const file = openKeyFile(path)
  const behind = new WriteBehind(warn)
  const engine = new RedisEngine(behind.journal)
  try {
    const smaller = shrink(file)
    if (smaller !== '') warn(`the file of Redis' keys, ${path}, ${smaller}`)
    behind.open(new KeyWriter(file, await load(file, engine), warn))
  } catch (error) {
    engine.close()
    orElse(() => file.close(), undefined) // it may be damaged: then it is set aside next
    throw error
  }
  const close = (): void => {
    engine.close()
    behind.close()
  }
  return {engine, file: path, refusal: '', close}
}

/**
 * Tables. Keys and values are bytes. A stream is identified by its serial number, so that renaming its key moves nothing; each entry,
 * group and pending entry has a row.
 */
const TABLES = `
  CREATE TABLE keys (db INTEGER, key BLOB, type TEXT, expires INTEGER, value BLOB, PRIMARY KEY (db, key));
  CREATE TABLE entries (stream INTEGER, ms INTEGER, seq INTEGER, fields BLOB, PRIMARY KEY (stream, ms, seq)) WITHOUT ROWID;
  CREATE TABLE groups (stream INTEGER, name BLOB, state BLOB, PRIMARY KEY (stream, name)) WITHOUT ROWID;
  CREATE TABLE pending (
    stream INTEGER, name BLOB, ms INTEGER, seq INTEGER, consumer BLOB, deliveredAt INTEGER, deliveries INTEGER,
    PRIMARY KEY (stream, name, ms, seq)
  ) WITHOUT ROWID;
`

/** Tables by row number: each batch of new keys would rewrite an index by name. */
const NUMBERED = `
  ALTER TABLE keys RENAME TO before;
  CREATE TABLE keys (id INTEGER PRIMARY KEY, db INTEGER, key BLOB, type TEXT, expires INTEGER, value BLOB);
  INSERT INTO keys SELECT rowid, * FROM before ORDER BY rowid;
  DROP TABLE before;
`

/** Opens the file of keys, which is marked ("Pill"), as `openOwn` does. */
export const openKeyFile = (path: string): DatabaseSync => openOwn(path, 0x50696c6c, [TABLES, NUMBERED])
