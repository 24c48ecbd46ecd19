import {lookThroughProc, readParticulars, seeInProc} from './proc.ts'
import {askPs, lookWithPs} from './ps.ts'
import type {ProcessSnapshot, Particulars} from './process-info.ts'

const isLinux = process.platform === 'linux'

let next: Promise<ProcessSnapshot> | undefined
let latest: Promise<unknown> = Promise.resolve()

/**
 * A snapshot of all processes, never older than the call. Callers of the same moment share it: ten apps that end together
 * cost one scan. Never rejects; if processes cannot be listed, it is empty.
 */
export async function look(): Promise<ProcessSnapshot> {
  if (next === undefined) {
    next = lookAfter(latest)
    latest = next
  }
  return next
}

async function lookAfter(earlier: Promise<unknown>): Promise<ProcessSnapshot> {
  await earlier
  await new Promise(setImmediate) // calls within the same tick share the snapshot
  next = undefined
  return isLinux ? lookThroughProc() : lookWithPs()
}

/** Reads one process again; undefined if it has exited or is a zombie. */
export const lookAgain = async (pid: number): Promise<Particulars | undefined> =>
  isLinux ? readParticulars(pid) : askPs(pid)

/** The start time of a process that has just been spawned, as `Seen.started`. */
export const startOf = (pid: number): number =>
  isLinux ? (seeInProc(pid)?.started ?? 0) : Math.floor(Date.now() / 1000)

/** This process and its ancestors: never to be signalled. */
export function ownAncestry({all}: ProcessSnapshot): ReadonlySet<number> {
  const parents = new Map(all.map(({pid, parent}) => [pid, parent]))
  const pids = new Set<number>()
  let pid: number | undefined = process.pid
  while (pid !== undefined && !pids.has(pid)) {
    pids.add(pid)
    pid = parents.get(pid)
  }
  return pids
}
