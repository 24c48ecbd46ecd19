import type {PausableTimer} from './timeout.ts'

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
