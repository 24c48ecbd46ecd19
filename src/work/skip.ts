import type {WakeUp, WakeUps} from './wake-ups.ts'

const MAX_NAMED = 1000
/** Of a series so many come one by one, then the latest one. */
const MAX_OF_SERIES = 100

/** What a skip has brought. */
export interface Skipped {
  /** In the order in which they fell due, each with how far the skip was then, in ms. */
  readonly fired: readonly (WakeUp & {readonly afterMs: number})[]
  readonly others: number
  /** What had been asked for by the end was all done. */
  readonly isSettled: boolean
}

/**
 * Advances the clock of what waits by `ms`, from one wake-up to the next: what that sets off (`settle`, true once it is done) may
 * wait for a time within the skip, too. An aborted signal ends it where it is.
 */
export async function advanceClock(
  wakeUps: WakeUps,
  ms: number,
  settle: () => Promise<boolean>,
  signal: AbortSignal
): Promise<Skipped> {
  const fired: Skipped['fired'][number][] = []
  let others = 0
  const limit = new SeriesLimit(wakeUps)
  let isSettled = await settle()
  for (let afterMs = 0; ;) {
    const step = Math.min(ms - afterMs, wakeUps.firstIn() ?? Infinity)
    afterMs += step
    const now = await wakeUps.skip(step)
    limit.count(now)
    if (now.length === 0 && afterMs === ms && limit.release()) continue
    if ((now.length === 0 && afterMs === ms) || signal.aborted) {
      limit.release()
      return {fired, others, isSettled}
    }
    const named = now.slice(0, MAX_NAMED - fired.length)
    fired.push(...named.map(each => ({...each, afterMs})))
    others += now.length - named.length
    isSettled = await settle()
  }
}

/** Holds series that have fired often enough. */
class SeriesLimit {
  readonly #wakeUps: WakeUps
  readonly #counts = new Map<string, number>()
  readonly #held = new Set<string>()
  #isReleased = false

  constructor(wakeUps: WakeUps) {
    this.#wakeUps = wakeUps
  }

  count(fired: readonly WakeUp[]): void {
    const before = this.#held.size
    for (const {kind, owner} of fired) {
      if (this.#isReleased || !this.#wakeUps.isSeries(kind)) continue
      const name = `${kind} ${owner}`
      const count = (this.#counts.get(name) ?? 0) + 1
      this.#counts.set(name, count)
      if (count >= MAX_OF_SERIES) this.#held.add(name)
    }
    if (this.#held.size > before) this.#wakeUps.hold(this.#held)
  }

  /** Lets them go on; false: none was held. */
  release(): boolean {
    if (this.#held.size === 0) return false
    this.#isReleased = true
    this.#held.clear()
    this.#wakeUps.hold(this.#held)
    return true
  }
}
