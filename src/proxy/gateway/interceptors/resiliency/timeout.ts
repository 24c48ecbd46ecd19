import type {Clock} from '../../../../platform/clock.ts'

/** A timer that fires once and can be paused. */
export class PausableTimer {
  readonly #clock: Clock
  readonly #fire: () => void
  #leftMs: number
  #startedAt = 0
  /** Undefined while it does not run. */
  #cancel: (() => void) | undefined
  #isOver = false

  constructor(ms: number, clock: Clock, fire: () => void) {
    this.#leftMs = ms
    this.#clock = clock
    this.#fire = fire
    this.resume()
  }

  /** Pauses the timer. */
  pause(): void {
    if (this.#cancel === undefined) return
    this.#cancel()
    this.#cancel = undefined
    this.#leftMs = Math.max(0, this.#leftMs - (this.#clock.now() - this.#startedAt))
  }

  /** Continues the timer. */
  resume(): void {
    if (this.#isOver || this.#cancel !== undefined) return
    this.#startedAt = this.#clock.now()
    this.#cancel = this.#clock.after(this.#leftMs, () => {
      this.stop()
      this.#fire()
    })
  }

  /** Cancels the timer. */
  stop(): void {
    this.#isOver = true
    this.#cancel?.()
    this.#cancel = undefined
  }
}
