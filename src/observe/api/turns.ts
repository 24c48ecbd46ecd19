import {setTimeout as pause} from 'node:timers/promises'

/** How long work may use a turn of the event loop, in ms: while calls are served, and otherwise. */
const BUSY_MS = 0.5
const IDLE_MS = 2
/** Pause between two turns while calls are served, in ms: four times a turn, since each call needs several turns of the event loop. */
const REST_MS = 2

/** Divides long work into short turns of the event loop, so that calls are served in between. */
export class Turns {
  readonly #progress: () => number
  readonly #now: () => number
  #seen: number
  #ms = BUSY_MS
  #began: number

  /** `progress`: a number that grows with each call. `now`: the time in ms. */
  constructor(progress: () => number, now = () => performance.now()) {
    this.#progress = progress
    this.#now = now
    this.#seen = progress()
    this.#began = now()
  }

  /** Whether the current turn is over: then `next` will wait. */
  get isOver(): boolean {
    return this.#now() - this.#began >= this.#ms
  }

  /** Waits for the next turn, unless time is left in this one. Call it before each step. */
  async next(): Promise<void> {
    if (!this.isOver) return
    await new Promise(setImmediate)
    const progress = this.#progress()
    const isBusy = progress !== this.#seen
    if (isBusy) await pause(REST_MS)
    this.#seen = this.#progress()
    this.#ms = isBusy ? BUSY_MS : IDLE_MS
    this.#began = this.#now()
  }
}
