/** A repeated change, for the next of which callers can wait. */
export class NextChange {
  #next = Promise.withResolvers<void>()

  /** Resolves at the next change. */
  get promise(): Promise<void> {
    return this.#next.promise
  }

  /** Reports a change: resolves the promises of all waiting callers. */
  readonly happened = (): void => {
    this.#next.resolve()
    this.#next = Promise.withResolvers()
  }
}
