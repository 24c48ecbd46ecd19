/** Runs work once, for its first caller. Later callers share the result (Go: sync.Once). After a failure, the next caller runs it again. */
export class Once<T> {
  #work: Promise<T> | undefined

  /** The running or finished work; undefined: no caller yet, or a failure. */
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
