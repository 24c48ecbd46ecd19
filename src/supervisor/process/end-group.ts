import type {StopPlan} from '../../model/plan.ts'
import type {ProcessGroup} from '../../platform/process-group.ts'
import type {Output} from './output.ts'
import {pause} from '../../platform/delay.ts'
import {withDeadline} from '../reload/deadline.ts'
import {ProcessTracker, type Orphan} from './process-tracker.ts'

/** Maximum wait after SIGKILL, in ms: a process that hangs in the kernel may take longer. */
const KILLED_WITHIN_MS = 2000
/** Time to read remaining output after the grace period, in ms. */
const LAST_LINES_WITHIN_MS = 500
const FIRST_LOOK_AFTER_MS = 2
const LOOK_EVERY_MS = 50
/** Delay between two looks after the first second, in ms: each look scans all processes of the machine. */
const LATER_EVERY_MS = 250

export interface GroupEnding {
  readonly group: ProcessGroup
  readonly output: Pick<Output, 'drained'>
  readonly stop: StopPlan
  /** `NAME=value` in the environment of the process and its children. */
  readonly marker: string
  /** The leader exited by itself with code 0: processes that left its group keep running. */
  readonly isSuccess: boolean
  /** Aborted to end the grace period. */
  readonly now: AbortSignal
  readonly ended: (orphan: Orphan) => void
}

/** The signal, and the time from which on all processes get it, even below a living parent or leader (`performance.now()`). */
interface Asked {
  readonly signal: NodeJS.Signals
  readonly allAt: number
}

/**
 * Ends a process group and the processes that left it. The leader gets the stop signal first, as with `KillMode=mixed` of
 * systemd.kill(5): launchers pass it on, pools end their workers, and a second signal would cut their work. After its exit the children
 * get the signal, and so on downwards; after half of the grace period all do. `pnpm exec` passes it on and exits at once: so, below a
 * process that handles the signal, one that has run since waits for that half. Waits until all have exited and the pipes are closed; then
 * SIGKILL ends the rest. Reads the process table instead of `kill(-group, 0)`, which also succeeds for a zombie.
 */
export async function endGroup({group, output, stop, marker, isSuccess, now, ended}: GroupEnding): Promise<void> {
  const endsOrphans = stop.scope === 'all' && !isSuccess
  const tracker = new ProcessTracker({group, marker, endsOrphans, ended})
  await withDeadline({ms: stop.timeoutMs, over: now}, async grace => {
    // looks first: the signal may end parents that identify other processes
    const isLeft = await tracker.look()
    const wasAlive = !group.hasExited()
    await tracker.signalLeader(stop.signal)
    const patienceMs = stop.first === 'leader' ? stop.timeoutMs / 2 : 0
    const asked = {signal: stop.signal, allAt: performance.now() + patienceMs}
    await Promise.race([group.exited, pause(patienceMs, grace)])
    if ((wasAlive || isLeft) && !(await isGone(tracker, grace, asked))) await kill(tracker)
    const since = performance.now()
    await output.drained(() => !grace.aborted || performance.now() - since < LAST_LINES_WITHIN_MS)
  })
}

export interface MarkedEnding {
  /** `NAME=value`. */
  readonly marker: string
  /** Markers of processes that are left alone. */
  readonly spared?: readonly string[]
  /** First wait this long for them to exit: a watchdog may be ending them. */
  readonly timeoutMs?: number
  readonly graceMs: number
  /** Aborted to end the grace period. */
  readonly now?: AbortSignal
  readonly ended: (orphan: Orphan) => void
}

/** Ends every process with a marker: SIGTERM from the top down, after half of the grace period to all, then SIGKILL. Returns at once without any. */
export async function endMarked({
  marker,
  spared = [],
  timeoutMs = 0,
  graceMs,
  now,
  ended
}: MarkedEnding): Promise<void> {
  const tracker = new ProcessTracker({marker, spared, endsOrphans: true, ended})
  if (timeoutMs > 0 && (await withDeadline({ms: timeoutMs}, async late => isGone(tracker, late)))) return
  await withDeadline({ms: graceMs, over: now}, async grace => {
    const asked = {signal: 'SIGTERM', allAt: performance.now() + graceMs / 2} as const
    if (!(await isGone(tracker, grace, asked))) await kill(tracker)
  })
}

/** Waits until nothing is left (true) or the grace period is over (false). Signals processes that appear meanwhile, too. */
async function isGone(tracker: ProcessTracker, grace: AbortSignal, asked?: Asked): Promise<boolean> {
  const start = performance.now()
  const most = (): number => (performance.now() - start < 1000 ? LOOK_EVERY_MS : LATER_EVERY_MS)
  for (let wait = FIRST_LOOK_AFTER_MS; await tracker.look(); wait = Math.min(2 * wait, most())) {
    if (grace.aborted) return false
    if (asked !== undefined) await tracker.signal(asked.signal, performance.now() < asked.allAt ? 'top' : 'all')
    await pause(wait, grace)
  }
  return true
}

async function kill(tracker: ProcessTracker): Promise<void> {
  const end = performance.now() + KILLED_WITHIN_MS
  let wait = FIRST_LOOK_AFTER_MS
  do {
    await tracker.kill()
    await pause(wait)
    wait = Math.min(2 * wait, LOOK_EVERY_MS)
  } while ((await tracker.look()) && performance.now() < end)
}
