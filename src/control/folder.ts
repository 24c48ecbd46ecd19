// control/ finds runs and sends commands to them from another terminal. There is no daemon and no state file: a run is a
// folder with a control socket, inside a folder that only the user can access; `list` sends a request to each socket.
import {accessSync, constants, lstatSync} from 'node:fs'
import {join} from 'node:path'
import type {Environment} from '../model/environment.ts'
import {codeOf, messageOf, UserError} from '../model/errors.ts'
import {makeFolder} from '../platform/make-folder.ts'

/** Linux silently truncates a longer socket path and binds that: sun_path has 108 bytes (unix(7)), and our file names follow. */
const MAX_PATH_BYTES = 80

/**
 * Returns the folders where runs may register, in order of preference: only `PILLION_RUNTIME_DIR` if it is set; else the user's folder below
 * `/run/user`, then the one below `/tmp`. `XDG_RUNTIME_DIR` is ignored: it differs under ssh, sudo and cron, so that runs
 * would not find each other.
 */
export function runtimeFolders(env: Environment): readonly string[] {
  const own = env['PILLION_RUNTIME_DIR']
  return own !== undefined && own !== '' ? [own] : usualFolders()
}

function usualFolders(): readonly string[] {
  const uid = (process.getuid?.() ?? 0).toString()
  const system = `/run/user/${uid}`
  return [...(isOurs(system) ? [join(system, 'pillion')] : []), `/tmp/pillion-${uid}`]
}

/** Called with a message for each folder that is skipped. */
export type OnSkipped = (text: string) => void

/**
 * Returns the folders that exist. A folder that another user can write to is skipped, because its content cannot be trusted.
 * Throws a UserError if all folders would be skipped.
 */
export function existingFolders(folders: readonly string[], onSkipped: OnSkipped): readonly string[] {
  const faults: UserError[] = []
  const existing = folders.filter(folder => {
    try {
      return check(folder)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      faults.push(error)
      return false
    }
  })
  const [first] = faults
  if (first !== undefined && faults.length === folders.length) throw first
  for (const {message} of faults) onSkipped(`${message}: it is skipped`)
  return existing
}

/** Returns the first usable folder, created with mode 0700 if it does not exist. Throws a UserError if none is usable. */
export function usableFolder(folders: readonly string[]): string {
  let reason: unknown
  for (const folder of folders) {
    if (Buffer.byteLength(folder) > MAX_PATH_BYTES) {
      throw new UserError(`the path of ${folder} is too long for a socket`, {
        explanation: 'Set PILLION_RUNTIME_DIR to a shorter folder.',
        code: 'folder'
      })
    }
    try {
      makeFolder(folder, 0o700)
      if (!check(folder)) continue
      accessSync(folder, constants.W_OK)
      return folder
    } catch (error) {
      reason = error
    }
  }
  if (reason instanceof UserError) throw reason
  throw new UserError(`no folder for the sockets of runs: ${messageOf(reason)}`, {
    explanation: 'Set PILLION_RUNTIME_DIR to a folder that you own.',
    code: 'folder',
    cause: reason
  })
}

/** Whether the folder exists. Throws for a link, a folder of another user, or one that others can access. */
function check(folder: string): boolean {
  let isOwn: boolean
  try {
    const stat = lstatSync(folder)
    isOwn = stat.uid === process.getuid?.()
    if (stat.isDirectory() && isOwn && (stat.mode & 0o077) === 0) return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false
    throw new UserError(`${folder} cannot be read: ${messageOf(error)}`, {cause: error})
  }
  throw new UserError(`${folder} must be a folder that you own, with mode 0700`, {
    explanation: remedy(folder, isOwn),
    code: 'folder'
  })
}

/** Returns advice. A folder that the user has named may belong to the system, so the advice is not to remove it or to change its mode. */
function remedy(folder: string, isOwn: boolean): string {
  if (!usualFolders().includes(folder))
    return 'PILLION_RUNTIME_DIR names it. Unset it, or name a folder that does not exist yet: it is created.'
  return isOwn ? `Remove it, or: chmod 700 ${folder}` : 'Set PILLION_RUNTIME_DIR to a folder that you own.'
}

function isOurs(folder: string): boolean {
  try {
    const stat = lstatSync(folder)
    return stat.isDirectory() && stat.uid === process.getuid?.()
  } catch {
    return false // not there: the next candidate
  }
}
