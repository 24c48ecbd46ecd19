import {pause} from '../../platform/delay.ts'
import type {Listening} from '../../platform/listeners.ts'
import {look, startOf} from '../../platform/process-table.ts'
import type {Seen} from '../../platform/process-info.ts'

/** Group and marker by which the processes of an app are recognized. */
export interface Marked {
  readonly group: number | undefined
  /** `NAME=value` in the environment of each process. */
  readonly marker: string
}

/** Maximum time until a server listens after its launcher has exited, in ms. */
const LISTENS_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 100
const ENDED_EVERY_MS = 250

/** Returns the living processes of an app (`own`), and those that listen (`found`); undefined: the system does not report listeners. */
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

/** Finds the server that a launcher has left in the background: a process of the app that listens at its port. Waits for it unless the app was ready. */
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
    empty = own.length === 0 ? empty + 1 : 0 // a single look may miss a process that forks or replaces its program
    if (empty > 1 || performance.now() >= end) return undefined
    await pause(LOOK_EVERY_MS, over)
  }
  return undefined
}

/** Settles when a process that is not a child of Pillion has ended, or the signal is aborted. */
export async function gone({pid, started}: Seen, over: AbortSignal): Promise<void> {
  while (!over.aborted && startOf(pid) === started) await pause(ENDED_EVERY_MS, over)
}
