import {ConnectionError, ENHANCE_YOUR_CALM} from './frames.ts'

/** Burst of useless frames that is tolerated … */
const BURST = 500
/** … and the rate per second that is tolerated permanently. */
const PER_SECOND = 500
/** A frame of an answer makes up for some: a good client pings and resets in step with what it gets. */
const PER_ANSWER = 2

/**
 * Counts frames that cost us work and serve no purpose: pings, settings, resets, empty data, priorities, streams beyond the limit.
 * Who sends them without end is cut (RFC 9113 §10.5).
 */
export class FloodGuard {
  #left = BURST
  #at = performance.now()

  /** A frame without use, which costs as much as so many pings. Throws where there were too many. */
  useless(cost = 1): void {
    if ((this.#left -= cost) >= 0) return
    const now = performance.now()
    this.#left = Math.min(BURST, Math.floor(((now - this.#at) * PER_SECOND) / 1000))
    this.#at = now
    if (this.#left <= 0) throw new ConnectionError(ENHANCE_YOUR_CALM, 'too many frames without use')
  }

  answered(): void {
    if (this.#left < BURST) this.#left += PER_ANSWER
  }
}
