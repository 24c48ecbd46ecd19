import {ConnectionError, ENHANCE_YOUR_CALM} from './frames.ts'

/** Burst of useless frames that is tolerated … */
const BURST = 500
/** … and the rate per second that is tolerated permanently. */
const PER_SECOND = 500
/** A frame of an answer makes up for some: a good client pings and resets in step with what it gets. */
const PER_ANSWER = 2

/**
 * Counts frames that cost us work and serve no purpose: pings, settings, resets, empty data, priorities, requests that are refused.
 * Closes the connection of an endless sender (RFC 9113 §10.5). A stream within MAX_STREAMS is free, one beyond costs as much as a ping:
 * a client may open some hundred too many before it knows the limit (§6.5.2), and repeats those that are refused (§8.7).
 */
export class FloodGuard {
  #left = BURST
  #at = performance.now()

  /** Counts a frame without use. `cost`: in pings. Throws where there were too many. */
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
