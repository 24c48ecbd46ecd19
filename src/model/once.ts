/** Work that is done once, at its first use. Later callers share the result (Go: sync.Once). After a failure the next caller begins again. */
export class Once<T> {
  #work: Promise<T> | undefined

  /** The work under way or done. Undefined before the first use, and after a failure. */
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
