import type {Clock} from '../../../../platform/clock.ts'

/** Attempt of a call, for the code that sends the request: shows when to stop, and lets the timeout pause. */
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

  /** Whether the attempt has to end: it timed out, or its caller disconnected. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Sets the listener that is called once when the attempt has to end, or at once if it already has to. Replaces the previous listener. */
  onStop(listener: () => void): void {
    this.#listener = listener
    if (this.#isStopped) listener()
  }

  /** Pauses the timeout, while the call is queued because its callee starts or reloads. */
  pause(): void {
    this.#timer?.pause()
  }

  /** Resumes the timeout after the call has left the queue. */
  resume(): void {
    this.#timer?.resume()
  }

  /** Stops the attempt. Only the policies call this. */
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
  /** Cancels the clock's timer; undefined: paused or over. */
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
