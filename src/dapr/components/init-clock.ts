/** Waits for work, such as the start of the built-in Redis, that must not count for a component's `initTimeout`. */
export type Apart = <T>(work: Promise<T>) => Promise<T>

/** The timer of a component's `initTimeout`, which pauses while `apart` waits for work of Pillion itself, such as loading code. */
export class InitClock {
  readonly #onLate: () => void
  /** Time left when the timer was started; Infinity: it has ended. */
  #leftMs: number
  #startedAt = 0
  #timer: NodeJS.Timeout | undefined
  #apart = 0

  constructor(limitMs: number, onLate: () => void) {
    this.#leftMs = limitMs
    this.#onLate = onLate
    this.#start()
  }

  readonly apart: Apart = async work => {
    if (this.#apart++ === 0) this.#pause()
    try {
      return await work
    } finally {
      if (--this.#apart === 0) this.#start()
    }
  }

  end(): void {
    this.#pause()
    this.#leftMs = Infinity
  }

  #start(): void {
    if (this.#leftMs === Infinity) return
    this.#startedAt = performance.now()
    this.#timer = setTimeout(() => {
      this.#leftMs = Infinity
      this.#onLate()
    }, this.#leftMs)
  }

  #pause(): void {
    clearTimeout(this.#timer)
    this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - this.#startedAt))
  }
}
