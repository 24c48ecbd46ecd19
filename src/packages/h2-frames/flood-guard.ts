import {ConnectionError, ENHANCE_YOUR_CALM} from './frames.ts'

/** Number of useless frames that are tolerated at once. */
const BURST = 500
/** Number of useless frames per second that are tolerated permanently. */
const PER_SECOND = 500
/** Number of useless frames that each sent frame of a response allows: a good client pings and resets in step with responses. */
const PER_ANSWER = 2

/**
 * Counts frames that cost work and serve no purpose: pings, settings, resets, empty data, priorities, refused requests. Closes the connection of
 * a peer that floods it with them (RFC 9113 §10.5). Streams within MAX_STREAMS are free. Further ones cost as much as a ping, since a client may
 * open some hundred before it knows the limit (§6.5.2), and repeats refused ones (§8.7).
 */
export class FloodGuard {
  #left = BURST
  #at = performance.now()

  /** Counts a useless frame. Throws a `ConnectionError` for too many. `cost`: cost of the frame, where a ping costs 1. */
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
