import {lstatSync, readlinkSync, rmSync} from 'node:fs'
import {codeOf} from '../model/errors.ts'
import {pause} from '../platform/delay.ts'
import {isSameStart, isSuspended, startOf, currentSystem, type SystemIdentity} from '../platform/process-table.ts'

/** The process that holds a lock. */
interface Holder extends SystemIdentity {
  /** Random id, new each time that the lock is taken. */
  readonly id: string
  readonly pid: number
  /** When the process started, as `Seen.started`. */
  readonly started: number
}

/** Pauses between looks at the lock, in ms, which grow while it is held, as during the `setup` of a worktree. */
const LOOK_MS = {least: 5, most: 250}
/** How long a suspended holder, or one in another pid namespace, may keep the lock, in ms. We cannot see the end of such a process. */
const MAX_HELD_MS = 1000

/**
 * Waits a moment for the process that holds the lock at `path`, or removes the lock if that process was killed. Several may see that it was:
 * the removal has a lock of its own, taken by `whileLocked`. Resolves with whether a process holds it.
 */
export async function awaitHolder(
  path: string,
  whileLocked: (path: string, work: () => Promise<void>) => Promise<void>
): Promise<boolean> {
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

/** The holder in the lock; '' = the lock is free. */
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

/** A lock of the future is from before the clock was set back. */
const heldFor = (path: string): number =>
  Math.abs(Date.now() - (lstatSync(path, {throwIfNoEntry: false})?.mtimeMs ?? Date.now()))
