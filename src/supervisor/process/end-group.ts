import type {StopPlan} from '../../model/plan.ts'
import type {ProcessGroup} from './process-group.ts'
import type {Output} from './output.ts'
import {aborted, pause} from '../../platform/delay.ts'
import {ProcessTracker, type Orphan} from './process-tracker.ts'

/** A killed process is gone in a moment; one that hangs in the kernel is not waited for any longer. */
const KILLED_WITHIN_MS = 2000
/** Also when the grace is over, what was written before is read. */
const LAST_LINES_WITHIN_MS = 500
const FIRST_LOOK_AFTER_MS = 2
const LOOK_EVERY_MS = 50
/** What takes longer than a second is looked at less often: each look goes through all processes of the machine. */
const LATER_EVERY_MS = 250

export interface GroupEnding {
  readonly group: ProcessGroup
  readonly output: Pick<Output, 'drained'>
  readonly stop: StopPlan
  /** `NAME=value` that all of this process carries. */
  readonly marker: string
  /** The leader ended by itself, and with 0: what has left its group lives on. */
  readonly isSuccess: boolean
  /** When it is aborted the grace is over. */
  readonly now: AbortSignal
  readonly ended: (orphan: Orphan) => void
}

/**
 * Ends a group and what has left it: the stop signal; until the grace is over, waiting for the leader's exit, for the last
 * of these processes and for the end of its pipes; then SIGKILL to what is left. What is alive is told by looking, not by
 * `kill(-group, 0)`, which a zombie answers for ever where nobody reaps it.
 */
export async function endGroup({group, output, stop, marker, isSuccess, now, ended}: GroupEnding): Promise<void> {
  const endsOrphans = stop.scope === 'all' && !isSuccess
  const tracker = new ProcessTracker({group, marker, endsOrphans, ended})
  const grace = openGrace(stop.timeoutMs, now)
  try {
    const wasAlive = !group.hasExited()
    group.signal(stop.signal)
    const isLeft = await tracker.look()
    if (!wasAlive) tracker.signalGroup(stop.signal)
    await tracker.signalOrphans(stop.signal)
    await Promise.race([group.exited, grace.over])
    if ((wasAlive || isLeft) && !(await isGone(tracker, stop.signal, grace))) await kill(tracker)
    const since = performance.now()
    await output.drained(() => !grace.signal.aborted || performance.now() - since < LAST_LINES_WITHIN_MS)
  } finally {
    grace.close()
  }
}

export interface MarkedEnding {
  /** `NAME=value`. */
  readonly marker: string
  /** Exchanges of one of these are left alone. */
  readonly spared?: readonly string[]
  /** So long they are only watched: somebody else may be ending them. */
  readonly timeoutMs?: number
  readonly graceMs: number
  /** When it is aborted the grace is over. */
  readonly now?: AbortSignal
  readonly ended: (orphan: Orphan) => void
}

/** Ends every process that carries a mark, wherever it is: SIGTERM, the grace, SIGKILL. At once when there is none. */
export async function endMarked({
  marker,
  spared = [],
  timeoutMs = 0,
  graceMs,
  now,
  ended
}: MarkedEnding): Promise<void> {
  const tracker = new ProcessTracker({marker, spared, endsOrphans: true, ended})
  if (timeoutMs > 0 && (await isGoneByItself(tracker, timeoutMs))) return
  const grace = openGrace(graceMs, now)
  try {
    if (!(await isGone(tracker, 'SIGTERM', grace))) await kill(tracker)
  } finally {
    grace.close()
  }
}

interface Grace {
  readonly signal: AbortSignal
  readonly over: Promise<void>
  close(): void
}

function openGrace(ms: number, now?: AbortSignal): Grace {
  const timer = new AbortController()
  const timeout = setTimeout(() => timer.abort(), ms)
  const signal = now === undefined ? timer.signal : AbortSignal.any([timer.signal, now])
  return {
    signal,
    over: aborted(signal),
    close: () => {
      clearTimeout(timeout)
      timer.abort() // a composed signal that somebody listens to is kept as long as `now` is
    }
  }
}

/** Looks until nothing is left, true, or the grace is over. What shows up on the way is asked, too. */
async function isGone(tracker: ProcessTracker, signal: NodeJS.Signals, grace: Grace): Promise<boolean> {
  const start = performance.now()
  const most = (): number => (performance.now() - start < 1000 ? LOOK_EVERY_MS : LATER_EVERY_MS)
  for (let wait = FIRST_LOOK_AFTER_MS; await tracker.look(); wait = Math.min(2 * wait, most())) {
    if (grace.signal.aborted) return false
    await tracker.signalOrphans(signal)
    await pause(wait, grace.signal)
  }
  return true
}

async function isGoneByItself(tracker: ProcessTracker, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs
  while (await tracker.look()) {
    if (performance.now() >= end) return false
    await pause(LOOK_EVERY_MS)
  }
  return true
}

async function kill(tracker: ProcessTracker): Promise<void> {
  const end = performance.now() + KILLED_WITHIN_MS
  let wait = FIRST_LOOK_AFTER_MS
  do {
    tracker.signalGroup('SIGKILL')
    await tracker.signalOrphans('SIGKILL')
    await pause(wait)
    wait = Math.min(2 * wait, LOOK_EVERY_MS)
  } while ((await tracker.look()) && performance.now() < end)
}
