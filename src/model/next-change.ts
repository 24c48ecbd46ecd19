/** A change that callers wait for again and again. */
export class NextChange {
  #next = Promise.withResolvers<void>()

  /** Settles at the next change. */
  get promise(): Promise<void> {
    return this.#next.promise
  }

  /** Wakes all callers that wait. */
  readonly happened = (): void => {
    this.#next.resolve()
    this.#next = Promise.withResolvers()
  }
}
