import type {ExitLoop} from '../model/exit-text.ts'

/** Number of exits from which on they count as a loop. */
const LOOPS_FROM = 3
/** Age after which an exit does not count, in ms. */
const WINDOW_MS = 600_000
/** Minimum life of a process that ends the loop, in ms. The life must also be 1.5 times as long as each life before. */
const HELD_MS = 30_000

/** The exits of an app after which its policy restarts it, to detect a loop. Times are of `performance.now()`. */
export class ExitHistory {
  #exits: {readonly startedAt: number; readonly endedAt: number}[] = []

  /** Adds an exit. `startedAt`: 0: no process was started. */
  add(startedAt: number, endedAt: number): void {
    const from = startedAt === 0 ? endedAt : startedAt
    const isOther = endedAt - from > this.#longestHeld
    const since = isOther ? Infinity : endedAt - WINDOW_MS
    this.#exits = [...this.#exits.filter(exit => exit.endedAt >= since), {startedAt: from, endedAt}]
  }

  /** Forgets the exits, after the user has started the app again or has saved a file. */
  clear(): void {
    this.#exits = []
  }

  /** Returns the loop of an app; null: none. `startedAt`: start of the current process; 0: no process. */
  loop(startedAt: number, now: number): ExitLoop | null {
    const [first] = this.#exits
    const last = this.#exits.at(-1)
    const isOver = startedAt > 0 && now - startedAt > this.#longestHeld
    if (first === undefined || last === undefined || this.#exits.length < LOOPS_FROM || isOver) return null
    return {
      exits: this.#exits.length,
      overMs: last.endedAt - first.startedAt,
      shortestMs: Math.min(...this.#lives),
      longestMs: Math.max(...this.#lives)
    }
  }

  get #lives(): readonly number[] {
    return this.#exits.map(({startedAt, endedAt}) => endedAt - startedAt)
  }

  get #longestHeld(): number {
    return Math.max(HELD_MS, 1.5 * Math.max(0, ...this.#lives))
  }
}
