import {existsSync, renameSync} from 'node:fs'
import type {DatabaseSync} from 'node:sqlite'

/** Returns a number that SQLite keeps of a database, like its `user_version`. */
export const pragma = (database: DatabaseSync, name: string): number =>
  Number(database.prepare(`PRAGMA ${name}`).get()?.[name])

/** Moves a database that cannot be used out of the way, with its journals. Returns its new name. */
export function setAside(path: string): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  let kept = `${path}.${stamp}`
  for (let count = 2; existsSync(kept); count++) kept = `${path}.${stamp}-${count}`
  renameSync(path, kept)
  for (const suffix of ['-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, kept + suffix)
  return kept
}
