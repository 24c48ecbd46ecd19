import type {Clock} from '../../../../platform/clock.ts'

/** An attempt of a call, for the code that makes it. */
export class AttemptControl {
  /** The number of the attempt, from 1. */
  readonly number: number
  readonly #timer: PausableTimer | undefined
  #isStopped = false
  #listener: (() => void) | undefined

  constructor(number: number, timer: PausableTimer | undefined) {
    this.number = number
    this.#timer = timer
  }

  /** The attempt has to end: it timed out, or the caller disconnected. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Called once when the attempt has to end, immediately if it already has. Only the last listener is called. */
  onStop(listener: () => void): void {
    this.#listener = listener
    if (this.#isStopped) listener()
  }

  /** The call is queued because its callee starts or reloads: pauses the timeout. */
  pause(): void {
    this.#timer?.pause()
  }

  /** The call is no longer queued. */
  resume(): void {
    this.#timer?.resume()
  }

  /** Stops the attempt, for the policies. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#listener?.()
  }
}

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

  pause(): void {
    if (this.#cancel === undefined) return
    this.#cancel()
    this.#cancel = undefined
    this.#leftMs = Math.max(0, this.#leftMs - (this.#clock.now() - this.#startedAt))
  }

  resume(): void {
    if (this.#isOver || this.#cancel !== undefined) return
    this.#startedAt = this.#clock.now()
    this.#cancel = this.#clock.after(this.#leftMs, () => {
      this.stop()
      this.#fire()
    })
  }

  stop(): void {
    this.#isOver = true
    this.#cancel?.()
    this.#cancel = undefined
  }
}
