/** Lets a limited number of callers continue in one turn of the event loop; the others wait for the next turns, in order. */
export class TurnLimit {
  readonly #atOnce: number
  #left: number
  #waiting: (() => void)[] = []
  #isCounting = false

  constructor(atOnce: number) {
    this.#atOnce = atOnce
    this.#left = atOnce
  }

  /** Resolves when it is one's turn. */
  async next(): Promise<void> {
    this.#count()
    if (this.#left > 0) this.#left--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  #count(): void {
    if (this.#isCounting) return
    this.#isCounting = true
    setImmediate(() => {
      this.#isCounting = false
      const going = this.#waiting.splice(0, this.#atOnce)
      this.#left = this.#atOnce - going.length
      if (going.length > 0) this.#count()
      for (const go of going) go()
    })
  }
}
