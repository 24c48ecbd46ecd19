import {existsSync, readFileSync, renameSync, statSync} from 'node:fs'
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

/**
 * Whether a process of this machine holds a lock of a SQLite file (proc_locks(5)); undefined: the system does not tell. A file system
 * without locks (NFS without lockd) looks to SQLite as if another program did.
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

/** Why a SQLite file cannot be locked that no process of this machine holds; '' = one does, or the system does not tell. */
export const whyWithoutLocks = (path: string, isLocked = isLockedHere(path)): string =>
  isLocked === false
    ? `${path} cannot be locked, and no process of this machine holds it: another machine does, or its file system has no locks (NFS without lockd)`
    : ''
