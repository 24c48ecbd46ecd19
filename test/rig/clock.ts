/** A clock that a test turns: nothing happens between two turns. */
export class TestClock {
  #now = 0
  #due: {readonly at: number; readonly fire: () => void}[] = []

  now(): number {
    return this.#now
  }

  date(): number {
    return this.#now
  }

  after(ms: number, fire: () => void): () => void {
    const entry = {at: this.#now + ms, fire}
    this.#due.push(entry)
    return () => {
      this.#due = this.#due.filter(each => each !== entry)
    }
  }

  /** Lets so many milliseconds pass; what becomes due happens in its order. */
  pass(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const [next] = this.#due.toSorted((a, b) => a.at - b.at)
      if (next === undefined || next.at > end) break
      this.#now = Math.max(this.#now, next.at)
      this.#due = this.#due.filter(each => each !== next)
      next.fire()
    }
    this.#now = end
  }
}

/** A clock whose date is set: what was armed goes by the time that really passes. */
export class SetClock extends TestClock {
  #ahead = 0

  override date(): number {
    return super.date() + this.#ahead
  }

  /** Somebody sets it, or the machine slept. */
  set(ms: number): void {
    this.#ahead += ms
  }
}
