/** Bytes of waiting calls that one listener keeps: what came before anybody could stop it. */
const MAX_HELD = 64 * 1024 * 1024

/** What node reads ahead of a body that nobody takes. */
const READ_AHEAD = 131_072

/** Keeps account of the bodies of calls that wait in a queue. */
export class HeldBodies {
  #bytes = 0

  /** How much a waiting call with a body of this length holds (-1: unknown); -1: there is no room for it. */
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
