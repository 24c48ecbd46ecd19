/**
 * Work that is done once, when it is asked for first: who asks later gets the same result (Go: sync.Once). A failure is not kept: the next
 * one who asks begins again. Code that could not be loaded, because no descriptor was free for a moment, is so loaded later.
 */
export class Once<T> {
  #work: Promise<T> | undefined

  /** The work under way or done; undefined: it was not asked for, or it has failed. */
  get begun(): Promise<T> | undefined {
    return this.#work
  }

  do(work: () => Promise<T>): Promise<T> {
    this.#work ??= work().catch((error: unknown) => {
      this.#work = undefined
      throw error
    })
    return this.#work
  }
}
