import type {StopPlan} from '../../model/plan.ts'
import type {ProcessGroup} from '../../platform/process-group.ts'
import type {Output} from './output.ts'
import {pause} from '../../platform/delay.ts'
import {withDeadline} from '../reload/deadline.ts'
import {ProcessTracker, type Orphan} from './process-tracker.ts'

/** Maximum wait after SIGKILL, in ms: a process that hangs in the kernel may never exit. */
const KILLED_WITHIN_MS = 2000
/** Time to read remaining output after the grace period, in ms. */
const LAST_LINES_WITHIN_MS = 500
const FIRST_LOOK_AFTER_MS = 2
const LOOK_EVERY_MS = 50
/** Delay between two looks after the first second, in ms: each look reads all processes of the machine. */
const LATER_EVERY_MS = 250

export interface GroupEnding {
  readonly group: ProcessGroup
  readonly output: Pick<Output, 'drained'>
  readonly stop: StopPlan
  /** `NAME=value` in the environment of the process and its children. */
  readonly marker: string
  /** Whether the leader has exited by itself with code 0, so that processes that left its group keep running. */
  readonly isSuccess: boolean
  /** Aborted to end the grace period early. */
  readonly now: AbortSignal
  readonly ended: (orphan: Orphan) => void
}

/** The stop signal. `allAt`: time (`performance.now()`) from which all processes get it, even below a living parent or leader. */
interface Asked {
  readonly signal: NodeJS.Signals
  readonly allAt: number
}

/**
 * Ends a process group and the processes that left it. 1. The leader alone gets the stop signal, as with `KillMode=mixed` of systemd.kill(5):
 * it may forward the signal or end its workers itself, and a second signal would cut their work. 2. After its exit its children get the signal,
 * then theirs. A process that has run since a parent with a handler got the signal may have received it already (`pnpm exec` forwards it and
 * exits): it gets none yet. 3. After half of the grace period all get it. 4. After the grace period SIGKILL ends the rest. Reads the process
 * table, since `kill(-group, 0)` also succeeds for a zombie.
 */
export async function endGroup({group, output, stop, marker, isSuccess, now, ended}: GroupEnding): Promise<void> {
  const endsOrphans = stop.scope === 'all' && !isSuccess
  const tracker = new ProcessTracker({group, marker, endsOrphans, ended})
  await withDeadline({ms: stop.timeoutMs, over: now}, async grace => {
    // looks before the signal, which may end parents that identify other processes
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
  /** Markers of processes that keep running. */
  readonly spared?: readonly string[]
  /** Time to wait for the processes before they get a signal, in ms: a watchdog may be ending them. */
  readonly timeoutMs?: number
  readonly graceMs: number
  /** Aborted to end the grace period early. */
  readonly now?: AbortSignal
  readonly ended: (orphan: Orphan) => void
}

/** Ends every process with a marker: SIGTERM from parents to children, after half of the grace period to all, then SIGKILL. */
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

/** Waits until no process is left. Resolves with false after the grace period. `asked`: signal for the processes found meanwhile. */
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
