/** Time, for whoever waits: a test turns it by hand. */
export interface Clock {
  /** Milliseconds since whenever. */
  now(): number
  /** Calls back once after so many milliseconds; what it returns calls that off. */
  after(ms: number, fire: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, fire) => {
    const timer = setTimeout(fire, ms)
    return () => clearTimeout(timer)
  }
}
