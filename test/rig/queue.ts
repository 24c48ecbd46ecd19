/** Things that come one by one, and takers that may be there before them. */
export class StartQueue<T> {
  readonly #things: T[] = []
  readonly #takers: ((thing: T) => void)[] = []

  put(thing: T): void {
    const taker = this.#takers.shift()
    if (taker) taker(thing)
    else this.#things.push(thing)
  }

  /** Those that nobody has taken. */
  takeRest(): readonly T[] {
    return this.#things.splice(0)
  }

  async take(): Promise<T> {
    const thing = this.#things.shift()
    return thing === undefined ? new Promise(resolve => this.#takers.push(resolve)) : thing
  }
}
