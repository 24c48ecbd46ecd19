import {formatGoDuration} from '../model/go-duration.ts'
import type {Availability} from '../model/availability.ts'
import type {Triggers} from '../model/triggers.ts'
import type {WakeUp, WakeUps} from './wake-ups.ts'

/** Maximum length of a skip: a hundred years. Later times might exceed what a Date can hold. */
export const MAX_SKIP_MS = 100 * 365 * 86_400_000
/** Maximum number of wake-ups in the report. */
const MAX_NAMED = 1000
/** Maximum number of firings of one job or reminder during a skip. Of the others, only the latest is made, at the end. */
const MAX_OF_SERIES = 100

/** Returns the owner of a wake-up. */
export type Whose<T> = (wakeUp: WakeUp) => T

export interface Skipped<T> {
  /** Fired wake-ups in order, each with the length of the skip so far, in ms, and its owner. */
  readonly fired: readonly (WakeUp & {readonly afterMs: number; readonly of: T | undefined})[]
  /** Number of fired wake-ups that the report omits. */
  readonly others: number
  /** Whether all started work was done at the end. */
  readonly isSettled: boolean
}

/**
 * Advances the clock of the file by `ms`, from one wake-up to the next. `settle` waits for the work that a wake-up has started,
 * which may set further wake-ups within the skip; it resolves with true once that is done. `of` is called as a wake-up fires, since its
 * owner may be removed before the skip ends. If the signal is aborted, the skip ends early, and the clock stays advanced so far.
 */
export async function advanceClock<T>(
  wakeUps: WakeUps,
  ms: number,
  {settle, of}: {readonly settle: () => Promise<boolean>; readonly of?: Whose<T> | undefined},
  signal: AbortSignal
): Promise<Skipped<T>> {
  const fired: Skipped<T>['fired'][number][] = []
  let count = 0
  const limit = new SeriesLimit(wakeUps)
  try {
    let isSettled = await settle()
    for (let afterMs = 0; !signal.aborted; isSettled = await settle()) {
      const step = Math.min(ms - afterMs, wakeUps.firstIn() ?? Infinity)
      const now = await wakeUps.skip(step).catch((error: unknown) => {
        if (afterMs === 0 || !(error instanceof Error)) throw error
        throw new Error(`${error.message} (${formatGoDuration(afterMs)} were skipped before)`, {cause: error})
      })
      afterMs += step
      limit.count(now)
      if (now.length === 0 && afterMs === ms && !limit.release()) break
      fired.push(...now.slice(0, MAX_NAMED - fired.length).map(each => ({...each, afterMs, of: of?.(each)})))
      count += now.length
    }
    return {fired, others: count - fired.length, isSettled}
  } finally {
    limit.release()
  }
}

/** Holds back the wake-ups of a job or reminder that has fired the maximum number of times in one skip. */
class SeriesLimit {
  readonly #wakeUps: WakeUps
  readonly #counts = new Map<string, number>()
  /** Held jobs and reminders, each as `kind owner`. */
  readonly #held = new Set<string>()
  #isReleased = false

  constructor(wakeUps: WakeUps) {
    this.#wakeUps = wakeUps
  }

  count(fired: readonly WakeUp[]): void {
    for (const {kind, owner} of fired) {
      if (this.#isReleased || !this.#wakeUps.isSeries(kind)) continue
      const name = `${kind} ${owner}`
      const count = (this.#counts.get(name) ?? 0) + 1
      this.#counts.set(name, count)
      if (count === MAX_OF_SERIES) this.#wakeUps.hold(this.#held.add(name))
    }
  }

  /** Releases the held series. Returns false without any. */
  release(): boolean {
    if (this.#held.size === 0) return false
    this.#isReleased = true
    this.#held.clear()
    this.#wakeUps.hold(this.#held)
    return true
  }
}

/** How long a process may take to connect its workers, after its start or after the last worker has left, in ms. */
const CONNECT_MS = 10_000

interface Connecting {
  readonly availability: Availability
  readonly plan: {readonly command: readonly string[]}
  readonly lives: readonly number[]
  readonly sleep: {readonly triggers: Triggers}
}

/**
 * Whether an app may get a worker soon. An app without a command starts outside of the run, at an unknown time. `leftAt`: when its last
 * worker left, by `performance.now()`; 0: never had one.
 */
export function mayConnect({availability, plan, lives, sleep}: Connecting, leftAt: number): boolean {
  if (availability === 'waiting' && plan.command.length > 0) return true
  if (availability === 'asleep') return leftAt > 0 || sleep.triggers.hasWorkers === true
  const isUp = availability === 'ready' || availability === 'debugged' || availability === 'waiting'
  return isUp && performance.now() - Math.max(leftAt, ...lives) < CONNECT_MS
}
