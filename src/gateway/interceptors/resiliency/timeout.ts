import type {Clock} from '../../../platform/clock.ts'

/** Fires once when so much time has passed, not counting the time in which it was paused. */
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

  /** Time stands still. */
  pause(): void {
    if (this.#cancel === undefined) return
    this.#cancel()
    this.#cancel = undefined
    this.#leftMs = Math.max(0, this.#leftMs - (this.#clock.now() - this.#startedAt))
  }

  /** Time goes on. */
  resume(): void {
    if (this.#isOver || this.#cancel !== undefined) return
    this.#startedAt = this.#clock.now()
    this.#cancel = this.#clock.after(this.#leftMs, () => {
      this.stop()
      this.#fire()
    })
  }

  /** It does not fire any more. */
  stop(): void {
    this.#isOver = true
    this.#cancel?.()
    this.#cancel = undefined
  }
}
