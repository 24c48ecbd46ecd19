import {pause} from '../../platform/delay.ts'
import type {Listening} from '../../platform/listeners.ts'
import {look, startOf} from '../../platform/process-table.ts'
import type {Seen} from '../../platform/process-info.ts'

/** How the processes of an app are recognized. */
export interface Marked {
  readonly group: number | undefined
  /** `NAME=value` in the environment of each process. */
  readonly marker: string
}

/** Time for a server to listen after its launcher has exited, in ms. */
const LISTENS_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 100
const ENDED_EVERY_MS = 250

/** Returns the living processes of an app, and those that listen. Undefined if the system does not report them. */
export async function listenersOf(
  {group, marker}: Marked,
  listening: Listening
): Promise<{readonly own: readonly Seen[]; readonly found: readonly Seen[] | undefined}> {
  const [{all, carries}, {listeningAmong}] = await Promise.all([look(), import('../../platform/port-owners.ts')])
  const own = all.filter(seen => !seen.isZombie && (seen.group === group || carries(seen.pid, marker)))
  const pids = await listeningAmong(
    own.map(({pid}) => pid),
    listening
  )
  return {own, found: pids && own.filter(({pid}) => pids.has(pid))}
}

/**
 * Finds the server that a launcher has left behind: a process of the app that listens on its port. Waits while a process of the app lives, unless the app was ready.
 */
export async function backgroundServer(
  app: Marked,
  listening: Listening,
  {wasReady, over}: {readonly wasReady: boolean; readonly over: AbortSignal}
): Promise<Seen | undefined> {
  const end = performance.now() + (wasReady ? 0 : LISTENS_WITHIN_MS)
  let empty = 0
  while (!over.aborted) {
    const {own, found} = await listenersOf(app, listening)
    if (found === undefined || found.length > 0) return found?.[0]
    empty = own.length === 0 ? empty + 1 : 0 // one look may miss a process that forks or replaces its program
    if (empty > 1 || performance.now() >= end) return undefined
    await pause(LOOK_EVERY_MS, over)
  }
  return undefined
}

/** Settles when a process that is not our child has ended, or with the signal. */
export async function gone({pid, started}: Seen, over: AbortSignal): Promise<void> {
  while (!over.aborted && startOf(pid) === started) await pause(ENDED_EVERY_MS, over)
}
