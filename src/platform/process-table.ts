import {lookThroughProc, readParticulars, seeInProc} from './proc.ts'
import {askPs, lookWithPs} from './ps.ts'
import type {Look, Particulars} from './process-info.ts'

const isLinux = process.platform === 'linux'

let next: Promise<Look> | undefined
let latest: Promise<unknown> = Promise.resolve()

/**
 * One look at all processes, never older than the call. Those who ask in the same moment share it: ten apps that end
 * together cost one pass. Never rejects; where nothing can be seen it is empty.
 */
export async function look(): Promise<Look> {
  if (next === undefined) {
    next = lookAfter(latest)
    latest = next
  }
  return next
}

async function lookAfter(earlier: Promise<unknown>): Promise<Look> {
  await earlier
  await new Promise(setImmediate) // whoever asks within this turn joins
  next = undefined
  return isLinux ? lookThroughProc() : lookWithPs()
}

/** One process once more; undefined when it is gone or a zombie. */
export const lookAgain = async (pid: number): Promise<Particulars | undefined> =>
  isLinux ? readParticulars(pid) : askPs(pid)

/** The start of a process that has just been spawned, as `Seen.started`. */
export const startOf = (pid: number): number =>
  isLinux ? (seeInProc(pid)?.started ?? 0) : Math.floor(Date.now() / 1000)

/** We, our parent, and so on: never to be signalled. */
export function ourLine({all}: Look): ReadonlySet<number> {
  const parents = new Map(all.map(({pid, parent}) => [pid, parent]))
  const line = new Set<number>()
  let pid: number | undefined = process.pid
  while (pid !== undefined && !line.has(pid)) {
    line.add(pid)
    pid = parents.get(pid)
  }
  return line
}
