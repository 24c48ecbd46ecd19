import {readFileSync, statSync} from 'node:fs'

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
