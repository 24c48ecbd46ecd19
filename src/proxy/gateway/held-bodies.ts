/** Maximum size of buffered bodies of queued calls per listener: the bytes that arrived before the caller could be paused. */
const MAX_HELD = 64 * 1024 * 1024

/** How many bytes of a body node:http reads ahead while it is not consumed. */
const READ_AHEAD = 131_072

/** Why a queued call is denied. */
export const HELD_TOO_MUCH = 'the bodies of queued calls exceed the limit'

/** Counts the buffered bodies of queued calls. */
export class HeldBodies {
  #bytes = 0

  /** Reserves bytes for a queued call with a body of this length (-1: unknown); -1: the limit is exceeded. */
  hold(length: number): number {
    const bytes = length < 0 ? READ_AHEAD : Math.min(length, READ_AHEAD)
    if (this.#bytes + bytes > MAX_HELD) return -1
    this.#bytes += bytes
    return bytes
  }

  release(bytes: number): void {
    this.#bytes -= bytes
  }
}
