import {readFileSync, readlinkSync} from 'node:fs'
import {messageOf, UserError} from '../model/errors.ts'
import {isSuspendedInProc, lookThroughProc, readParticulars, seeInProc} from './proc.ts'
import type {ProcessSnapshot, Particulars, Seen} from './process-info.ts'
import {isSuspendedByPs, startByPs} from './ps-now.ts'

const isLinux = process.platform === 'linux'

let next: Promise<ProcessSnapshot> | undefined
let latest: Promise<unknown> = Promise.resolve()

/**
 * Returns a snapshot of all processes, never older than the call. Callers of the same moment share it: ten apps that end together
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
  return isLinux ? lookThroughProc() : (await import('./ps.ts')).lookWithPs()
}

/** Reads one process again; undefined if it has exited or is a zombie. */
export const lookAgain = async (pid: number): Promise<Particulars | undefined> =>
  isLinux ? readParticulars(pid) : (await import('./ps.ts')).askPs(pid)

/** Returns the start time of a process as in `Seen.started`; 0 for none and zombies. */
export function startOf(pid: number): number {
  if (!isLinux) return startByPs(pid)
  const seen = seeInProc(pid)
  return seen === undefined || seen.isZombie ? 0 : seen.started
}

/** As `startOf`, for a process that has just been spawned: no `ps` is run. */
export const startOfNew = (pid: number): number =>
  isLinux ? (seeInProc(pid)?.started ?? 0) : Math.floor(Date.now() / 1000)

/** Tolerance of start times: other systems give whole seconds, so a clock may differ by one. */
const TOLERANCE = isLinux ? 0 : 1

/** Whether two starts of a pid are the same, so that it is the same process. */
export const isSameStart = (one: number, other: number): boolean => Math.abs(one - other) <= TOLERANCE

/** Whether one start is at or after another. */
export const isNotBefore = (one: number, other: number): boolean => one >= other - TOLERANCE

/**
 * Whether the system hides the environment of some programs, as macOS does for its own, such as sh. Such
 * processes are found not by their marker, but as children of a known parent, while it lives.
 */
export const hidesEnvironments = !isLinux

/** Whether a process is stopped by a signal, such as Ctrl-Z. */
export const isSuspended = (pid: number): boolean => (isLinux ? isSuspendedInProc(pid) : isSuspendedByPs(pid))

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

/** The children of these processes, their children, and so on. */
export function descendantsIn(all: readonly Seen[], pids: Iterable<number>): readonly Seen[] {
  const childrenOf = Map.groupBy(all, ({parent}) => parent)
  const found = new Set<Seen>()
  const addBelow = (pid: number): void => {
    for (const child of childrenOf.get(pid) ?? []) {
      if (found.has(child)) continue
      found.add(child)
      addBelow(child.pid)
    }
  }
  for (const pid of pids) addBelow(pid)
  return [...found]
}

/** The scope in which a process id is unique. */
export interface SystemIdentity {
  readonly boot: string
  readonly pids: string
}

/** The current boot and pid namespace (random(4), namespaces(7)). On macOS each is assumed to be unique. Throws a UserError where there is no /proc. */
export function currentSystem(): SystemIdentity {
  if (process.platform !== 'linux') return {boot: process.platform, pids: process.platform}
  try {
    return {
      boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      pids: readlinkSync('/proc/self/ns/pid')
    }
  } catch (cause) {
    throw new UserError(`processes cannot be identified without /proc: ${messageOf(cause)}`, {
      explanation: 'Mount it: mount -t proc proc /proc',
      cause
    })
  }
}
