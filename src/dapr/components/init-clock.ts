/** Waits for work of our own, such as the start of the built-in Redis, without using up a component's `initTimeout`. */
export type Apart = <T>(work: Promise<T>) => Promise<T>

/** The clock of a component's `initTimeout`, which stops during work that runs `apart`. */
export class InitClock {
  readonly #late: () => void
  #leftMs: number
  #since = 0
  #timer: NodeJS.Timeout | undefined
  #apart = 0

  constructor(limitMs: number, late: () => void) {
    this.#leftMs = limitMs
    this.#late = late
    this.#go()
  }

  readonly apart: Apart = async work => {
    if (this.#apart++ === 0) this.#hold()
    try {
      return await work
    } finally {
      if (--this.#apart === 0) this.#go()
    }
  }

  end(): void {
    this.#hold()
    this.#leftMs = Infinity
  }

  #go(): void {
    if (this.#leftMs === Infinity) return
    this.#since = performance.now()
    this.#timer = setTimeout(() => {
      this.#leftMs = Infinity
      this.#late()
    }, this.#leftMs)
  }

  #hold(): void {
    clearTimeout(this.#timer)
    this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - this.#since))
  }
}
