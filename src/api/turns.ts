import {setTimeout as pause} from 'node:timers/promises'

/** A turn of the event loop is used for so long, in ms, while calls come, and otherwise. */
const BUSY_MS = 0.5
const IDLE_MS = 2
/** Between two turns, while calls come: each of them needs several turns of its own. */
const REST_MS = 1

/** Divides long work into short turns of the event loop, so that calls go on. */
export class Turns {
  readonly #progress: () => number
  #seen: number
  #ms = BUSY_MS
  #began = performance.now()

  /** `progress`: a number that grows as calls come. */
  constructor(progress: () => number) {
    this.#progress = progress
    this.#seen = progress()
  }

  /** The current turn is over: `next` will wait. */
  get isOver(): boolean {
    return performance.now() - this.#began >= this.#ms
  }

  /** Call it before each step: goes on at once while there is time left. */
  async next(): Promise<void> {
    if (!this.isOver) return
    await new Promise(setImmediate)
    const progress = this.#progress()
    const isBusy = progress !== this.#seen
    if (isBusy) await pause(REST_MS)
    this.#seen = this.#progress()
    this.#ms = isBusy ? BUSY_MS : IDLE_MS
    this.#began = performance.now()
  }
}
