/**
 * Work that is done once, when it is first asked for; later callers get the same result (Go: sync.Once). A failure is not kept: the next
 * caller begins again. Otherwise code that could not be loaded for a moment, as no descriptor was free, would never be.
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
