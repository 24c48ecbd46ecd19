import type {PausableTimer} from './timeout.ts'

/** One attempt of a call, for the code that makes it. */
export class AttemptControl {
  /** From 1. */
  readonly number: number
  readonly #timer: PausableTimer | undefined
  #isStopped = false
  #controller: AbortController | undefined
  #listener: (() => void) | undefined

  constructor(number: number, timer: PausableTimer | undefined) {
    this.number = number
    this.#timer = timer
  }

  /** The attempt is to end: its time is over, or the caller has left. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Aborted when the attempt is to end. It is made when it is first asked for: a call is faster with `onStop`. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#isStopped) this.#controller.abort()
    return this.#controller.signal
  }

  /** Calls back once when the attempt is to end, at once if it is already. The last listener counts. */
  onStop(listener: () => void): void {
    this.#listener = listener
    if (this.#isStopped) listener()
  }

  /** The call is held because its callee starts or reloads: the timeout stands still. */
  pause(): void {
    this.#timer?.pause()
  }

  /** The call goes on. */
  resume(): void {
    this.#timer?.resume()
  }

  /** For the policies. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#listener?.()
    this.#controller?.abort()
  }
}
