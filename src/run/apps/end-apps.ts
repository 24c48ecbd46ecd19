import type {Reporter} from '../../model/reporter.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {reportNote} from '../../supervisor/messages/note-text.ts'
import {stopInOrder} from '../../supervisor/order/stop-order.ts'
import {endMarked} from '../../supervisor/process/end-group.ts'

export interface EndAppsOptions {
  /** The marker of the run. */
  readonly run: string
  readonly graceMs: number
  /** Aborted: without a grace period. */
  readonly now: AbortSignal
  readonly reporter: Reporter
  /** Ends the processes of components, once no app needs them. */
  readonly endComponents: () => Promise<unknown>
}

/** Stops the apps of a run, dependents first, then all processes with the run's marker. */
export async function endApps(apps: readonly AppRuntime[], options: EndAppsOptions): Promise<void> {
  const {run, graceMs, now, reporter, endComponents} = options
  await stopInOrder(apps, {now})
  await endComponents()
  await endMarked({
    marker: `PILLION_RUN=${run}`,
    spared: apps.flatMap(runtime => runtime.sparedMarkers),
    graceMs,
    now,
    ended: orphan => reportNote(reporter, '', {type: 'orphan-ended', ...orphan})
  })
}
