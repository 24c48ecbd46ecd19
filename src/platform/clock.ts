/** The time, replaceable in tests. */
export interface Clock {
  /** Milliseconds since an arbitrary point. */
  now(): number
  /** Milliseconds since 1970. */
  date(): number
  /** Calls `fire` once after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, fire: () => void): () => void
}

/** Longer delays make `setTimeout` fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  after: (ms, fire) => {
    let timer: NodeJS.Timeout
    const arm = (left: number): void => {
      timer = setTimeout(() => (left > MAX_DELAY_MS ? arm(left - MAX_DELAY_MS) : fire()), Math.min(left, MAX_DELAY_MS))
    }
    arm(ms)
    return () => clearTimeout(timer)
  }
}
