import {lstatSync, readlinkSync, rmSync, symlinkSync} from 'node:fs'
import {codeOf, messageOf, UserError} from '../model/errors.ts'
import {orElse} from '../model/or-else.ts'
import {pause} from '../platform/delay.ts'
import {isSameStart, isSuspended, startOf, currentSystem, type SystemIdentity} from '../platform/process-table.ts'
import {randomHex} from '../platform/random.ts'

/** The process that holds a lock. */
interface Holder extends SystemIdentity {
  /** Random id, new each time that the lock is taken. */
  readonly id: string
  readonly pid: number
  /** Start of the process in the system's own unit (`Seen.started`). With the pid it identifies the process. */
  readonly started: number
}

/** Pauses between looks at the lock, in ms, which grow while it is held, as during the `setup` of a worktree. */
const LOOK_MS = {least: 5, most: 250}
/** How long a suspended holder, or one in another pid namespace, may keep the lock, in ms. We cannot see the end of such a process. */
const MAX_HELD_MS = 1000

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
      if (!(await awaitHolder(path))) continue
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

/**
 * Waits a moment for the process that holds the lock at `path`, or removes the lock if that process was killed. Several processes may see
 * that: the removal has a lock of its own. Resolves with whether a process holds the lock.
 */
async function awaitHolder(path: string): Promise<boolean> {
  const text = textAt(path)
  if (text === '') return false
  const holder = JSON.parse(text) as Holder
  const heldMs = heldFor(path)
  if (!isLeft(holder, heldMs)) {
    await pause(Math.min(LOOK_MS.most, Math.max(LOOK_MS.least, heldMs / 10)))
    return true
  }
  await whileLocked(`${path}-${holder.id}`, async () => {
    if (textAt(path) === text) rmSync(path, {force: true})
    return Promise.resolve()
  })
  return false
}

/** The holder in the lock; '': the lock is free. */
function textAt(path: string): string {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return ''
  }
}

function isLeft({pid, started, boot, pids}: Holder, heldMs: number): boolean {
  const here = currentSystem()
  const isSeen = boot === here.boot && pids === here.pids
  if (isSeen && !isSameStart(startOf(pid), started)) return true
  return (!isSeen || isSuspended(pid)) && heldMs > MAX_HELD_MS
}

/** Returns how long a lock is held, in ms. A lock dated in the future was made before the clock was set back. */
const heldFor = (path: string): number =>
  Math.abs(Date.now() - (lstatSync(path, {throwIfNoEntry: false})?.mtimeMs ?? Date.now()))
