import {setTimeout as pause} from 'node:timers/promises'

/** How long work may use a turn of the event loop, in ms: while calls are served, and otherwise. */
const BUSY_MS = 0.5
const IDLE_MS = 2
/** The pause between two turns while calls are served, four times as long as a turn: each call needs several turns. */
const REST_MS = 2

/** Divides long work into short turns of the event loop, so that calls are served in between. */
export class Turns {
  readonly #progress: () => number
  readonly #now: () => number
  #seen: number
  #ms = BUSY_MS
  #began: number

  /** `progress`: a number that grows as calls arrive; `now`: the time in ms. */
  constructor(progress: () => number, now = () => performance.now()) {
    this.#progress = progress
    this.#now = now
    this.#seen = progress()
    this.#began = now()
  }

  /** The current turn is over: `next` will wait. */
  get isOver(): boolean {
    return this.#now() - this.#began >= this.#ms
  }

  /** Call it before each step: it resolves immediately while there is time left in the turn. */
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
