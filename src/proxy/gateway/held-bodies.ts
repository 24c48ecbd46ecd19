/** Maximum size of buffered bodies of queued calls per listener: the bytes that arrived before the caller could be paused. */
const MAX_HELD = 64 * 1024 * 1024

/** Returns how many bytes of a body node:http reads before it is consumed. `length`: of the body, -1: unknown. */
export const readAhead = (length: number): number => Math.min(length < 0 ? Infinity : length, 131_072)

/** Why a queued call is denied. */
export const HELD_TOO_MUCH = 'the bodies of queued calls exceed the limit'

/** Counts the buffered bodies of queued calls. */
export class HeldBodies {
  #bytes = 0

  /** Reserves bytes for a queued call; false: the limit is exceeded. */
  hold(bytes: number): boolean {
    if (this.#bytes + bytes > MAX_HELD) return false
    this.#bytes += bytes
    return true
  }

  release(bytes: number): void {
    this.#bytes -= bytes
  }
}
