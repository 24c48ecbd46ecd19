/**
 * The time of day of moments that were measured by `performance.now()`. That clock stops while the machine sleeps (Linux:
 * CLOCK_MONOTONIC), and does not follow when the clock is set: `performance.timeOrigin` alone would date all calls after that wrongly.
 */

/** The offset between both clocks from a moment on. */
interface Piece {
  readonly from: number
  readonly offset: number
}

interface Clocks {
  /** ms since an arbitrary point. */
  readonly now: () => number
  /** ms since 1970. */
  readonly date: () => number
}

/** Minimum change between two clocks that means that the machine slept or its clock was set, in ms. */
const STEP_MS = 50
/** Maximum number of changes to remember: a sleep of the machine is one. */
const MAX_PIECES = 1000

/** Two clocks, and the differences between them. */
export class ClockPair {
  readonly #clocks: Clocks
  readonly #pieces: Piece[]

  /** `origin`: the value of `date` when `now` is 0. */
  constructor(clocks: Clocks, origin: number) {
    this.#clocks = clocks
    this.#pieces = [{from: -Infinity, offset: origin}]
  }

  /** Notes the start of an event, now or a little ago. Later times get dates by the current clock. */
  note(at = this.#clocks.now()): void {
    const last = this.#last
    const date = this.#clocks.date()
    // reads the second clock only if needed: each call passes here
    if (Math.abs(date - at - last.offset) < STEP_MS) return
    const offset = date - this.#clocks.now()
    if (Math.abs(offset - last.offset) < STEP_MS) return
    this.#pieces.push({from: Math.max(at, last.from), offset})
    if (this.#pieces.length > MAX_PIECES) this.#pieces.splice(0, 1)
  }

  /** The ms since 1970 of a `performance.now()`. */
  of(at: number): number {
    this.note()
    return at + (this.#pieces.findLast(({from}) => from <= at) ?? this.#last).offset
  }

  /** Returns the `performance.now()` of ms since 1970; the later one after a clock was set back. */
  at(date: number): number {
    this.note()
    const index = this.#pieces.findLastIndex(({from, offset}) => from + offset <= date)
    const {offset} = this.#pieces[index] ?? this.#last
    // a moment at which the machine slept is when it woke
    return Math.min(date - offset, this.#pieces[index + 1]?.from ?? Infinity)
  }

  get #last(): Piece {
    return this.#pieces.at(-1) ?? {from: -Infinity, offset: 0}
  }
}

/** The clocks of this process. */
export const wallTime = new ClockPair({now: () => performance.now(), date: () => Date.now()}, performance.timeOrigin)
