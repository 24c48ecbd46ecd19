/** The time, replaceable in tests. */
export interface Clock {
  /** Milliseconds since an arbitrary point. */
  now(): number
  /** Milliseconds since 1970. */
  date(): number
  /**
   * Calls `fire` once after `ms` milliseconds, after all arrived data are read: an answer in time counts even if this process was held up. The returned function cancels it.
   */
  after(ms: number, fire: () => void): () => void
}

/** Longer delays make `setTimeout` fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  after: (ms, fire) => {
    let timer: NodeJS.Timeout
    let turn: NodeJS.Immediate | undefined
    // waits two turns of the event loop: one accepts a connection, the next one reads it
    const due = (): void => void (turn = setImmediate(() => (turn = setImmediate(fire))))
    const arm = (left: number): void => {
      timer = setTimeout(() => (left > MAX_DELAY_MS ? arm(left - MAX_DELAY_MS) : due()), Math.min(left, MAX_DELAY_MS))
    }
    arm(ms)
    return () => {
      clearTimeout(timer)
      clearImmediate(turn)
    }
  }
}
