// control/ is how a run is found and spoken to from another terminal. There is no daemon and no state file: a run is a
// folder with a socket that answers, in a folder that belongs to the user alone; `list` asks each socket.
import {lstatSync, mkdirSync} from 'node:fs'
import {join} from 'node:path'
import {codeOf, messageOf, UserError} from '../model/errors.ts'

/** Linux cuts a longer socket path silently and binds elsewhere: sun_path has 108 bytes (unix(7)), with room for ours. */
const LONGEST = 80

/**
 * Where runs may register, best first: `PILLION_RUNTIME_DIR` alone if it is set; else the user's folder below `/run/user`,
 * then the one below `/tmp`. `XDG_RUNTIME_DIR` is not asked: ssh, sudo and cron differ in it, and runs would not meet.
 */
export function runtimeFolders(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const own = env['PILLION_RUNTIME_DIR']
  if (own !== undefined && own !== '') return [own]
  const uid = (process.getuid?.() ?? 0).toString()
  const system = `/run/user/${uid}`
  return [...(isOurs(system) ? [join(system, 'pillion')] : []), `/tmp/pillion-${uid}`]
}

/** Told in words of each folder that is skipped. */
export type TellSkipped = (text: string) => void

/**
 * Those of the folders that exist. One that somebody else can write to is skipped: nothing in it can be trusted. Throws a
 * UserError where all of them would be.
 */
export function existingFolders(folders: readonly string[], tellSkipped: TellSkipped): readonly string[] {
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
  for (const {message} of faults) tellSkipped(`${message}: it is skipped`)
  return existing
}

/** The first of the folders that can be used, made if need be, mode 0700. Throws a UserError where none can. */
export function usableFolder(folders: readonly string[]): string {
  let reason: unknown
  for (const folder of folders) {
    if (Buffer.byteLength(folder) > LONGEST) {
      throw new UserError(`the path of ${folder} is too long for a socket`, {
        explanation: 'Set PILLION_RUNTIME_DIR to a shorter folder.'
      })
    }
    try {
      mkdirSync(folder, {recursive: true, mode: 0o700})
      if (check(folder)) return folder
    } catch (error) {
      reason = error
    }
  }
  if (reason instanceof UserError) throw reason
  throw new UserError(`no folder for the sockets of runs: ${messageOf(reason)}`, {
    explanation: 'Set PILLION_RUNTIME_DIR to a folder of yours.',
    cause: reason
  })
}

/** Whether the folder exists; one that is a link, belongs to somebody else or is open to others is refused by name. */
function check(folder: string): boolean {
  let isOwn: boolean
  try {
    const stat = lstatSync(folder)
    isOwn = stat.uid === process.getuid?.()
    if (stat.isDirectory() && isOwn && (stat.mode & 0o077) === 0) return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false
    throw new UserError(`${folder} cannot be looked at: ${messageOf(error)}`, {cause: error})
  }
  throw new UserError(`${folder} must be a folder of yours with mode 0700`, {
    explanation: isOwn ? `Remove it, or: chmod 700 ${folder}` : 'Set PILLION_RUNTIME_DIR to a folder of yours.'
  })
}

function isOurs(folder: string): boolean {
  try {
    const stat = lstatSync(folder)
    return stat.isDirectory() && stat.uid === process.getuid?.()
  } catch {
    return false // not there: the next candidate
  }
}
