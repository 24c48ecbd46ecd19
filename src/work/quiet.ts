import type {Clock} from '../platform/clock.ts'
import {NextChange} from '../model/next-change.ts'

/** Interval between two checks, in ms. Work may end without a call of `changed`: its app had too long to connect a worker. */
const LOOK_MS = 1000

/** Waits until no work is under way, for a skip of the clock. */
export class Quiet {
  readonly #clock: Clock
  readonly #isBusy: () => boolean
  readonly #change = new NextChange()

  constructor(clock: Clock, isBusy: () => boolean) {
    this.#clock = clock
    this.#isBusy = isBusy
  }

  changed(): void {
    this.#change.happened()
  }

  /** Resolves with true when no work is under way, with false after `maxMs`. */
  async within(maxMs: number): Promise<boolean> {
    const end = this.#clock.now() + maxMs
    while (this.#isBusy() && this.#clock.now() < end) {
      const late = Promise.withResolvers<void>()
      const stop = this.#clock.after(Math.min(LOOK_MS, end - this.#clock.now()), late.resolve)
      await Promise.race([this.#change.promise, late.promise])
      stop()
    }
    return !this.#isBusy()
  }
}
