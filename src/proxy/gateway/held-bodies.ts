/** Maximum size of all buffered bodies of queued calls of one listener: the bytes that arrive before Pillion pauses their callers. */
const MAX_HELD = 64 * 1024 * 1024

/** Returns how many bytes of a body are buffered at most while its call is queued. `length`: length of the body; -1: unknown. */
export const readAhead = (length: number): number => Math.min(length < 0 ? Infinity : length, 131_072)

/** Why a queued call is denied. */
export const HELD_TOO_MUCH = 'the bodies of queued calls exceed the limit'

/** Counts the buffered bodies of queued calls. */
export class HeldBodies {
  #bytes = 0

  /** Reserves bytes for a queued call. Returns false if they exceed the limit. */
  hold(bytes: number): boolean {
    if (this.#bytes + bytes > MAX_HELD) return false
    this.#bytes += bytes
    return true
  }

  release(bytes: number): void {
    this.#bytes -= bytes
  }
}
