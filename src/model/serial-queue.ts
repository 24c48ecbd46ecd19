/** Runs asynchronous work one piece at a time, in the order in which it was added. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()

  /** Settles as `work` does; if it fails, the work that follows runs all the same. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }

  /** Resolves when all work that has been added is done. */
  async idle(): Promise<void> {
    await this.#last
  }
}
