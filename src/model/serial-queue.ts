/** Runs asynchronous work one piece at a time, in the order in which it was added. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `work` after all earlier work, and settles as it does. A failure does not stop later work. */
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
