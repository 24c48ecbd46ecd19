import {readlinkSync, rmSync, symlinkSync} from 'node:fs'
import {codeOf, messageOf, UserError} from '../model/errors.ts'
import {orElse} from '../model/or-else.ts'
import {startOf, currentSystem} from '../platform/process-table.ts'
import {randomHex} from '../platform/random.ts'

/**
 * Does something while no other process holds the lock at `path`; takes over the lock of a killed process. The lock is a symbolic link
 * whose target names the holder, since a link appears whole or not at all. `onWait` is called once if another process holds the lock.
 */
export async function whileLocked<T>(path: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  const {pid} = process
  const own = JSON.stringify({id: randomHex(8), pid, started: startOf(pid), ...currentSystem()})
  let say = onWait
  for (;;) {
    try {
      symlinkSync(own, path)
      break
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw refusal(path, error)
      if (!(await (await import('./held-lock.ts')).awaitHolder(path, whileLocked))) continue
      say?.()
      say = undefined
    }
  }
  try {
    return await work()
  } finally {
    release(path, own)
  }
}

function refusal(path: string, cause: unknown): UserError {
  const [why = ''] = messageOf(cause).split(', symlink')
  return new UserError(`the lock ${path} cannot be made: ${why}`, {
    explanation: 'Free space there, or make it writable.',
    code: 'folder',
    cause
  })
}

/** Removes our lock, if its folder is there and writable. Another process may have taken it over while this one was suspended: its lock stays. */
function release(path: string, own: string): void {
  orElse(() => readlinkSync(path) === own && rmSync(path) === undefined, false)
}
