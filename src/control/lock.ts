import {readlinkSync, rmSync, symlinkSync} from 'node:fs'
import {codeOf} from '../model/errors.ts'
import {startOf} from '../platform/process-table.ts'
import {randomHex} from '../platform/random.ts'
import {currentSystem} from './run-file.ts'

/**
 * Does something while no other process holds the lock at `path`; that of a process that was killed is taken over. It is a symbolic link to who
 * holds it: such a link is there with all that it says, or not at all.
 */
export async function whileLocked<T>(path: string, work: () => Promise<T>): Promise<T> {
  const {pid} = process
  const own = JSON.stringify({id: randomHex(8), pid, started: startOf(pid), ...currentSystem()})
  for (;;) {
    try {
      symlinkSync(own, path)
      break
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      await (await import('./held-lock.ts')).awaitHolder(path, whileLocked)
    }
  }
  try {
    return await work()
  } finally {
    release(path, own)
  }
}

/** Leaves that of another one alone, to which Ctrl-Z may have lost it. */
function release(path: string, own: string): void {
  try {
    if (readlinkSync(path) === own) rmSync(path)
  } catch {
    // its folder is gone
  }
}
