/**
 * Runs one piece of work at a time for each key, which callers with the same key share (Go: singleflight). The end of the work removes its
 * entry; a caller that did so could remove the entry of the next work.
 */
export class SingleFlight<K, T> {
  readonly #flights = new Map<K, Promise<T>>()

  /** Resolves when all current work has ended or failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#flights.values())
  }

  /** Returns the result of the work under way for the key, or begins `work`. */
  do(key: K, work: () => Promise<T>): Promise<T> {
    const flying = this.#flights.get(key)
    if (flying !== undefined) return flying
    const flight = work().finally(() => this.#flights.delete(key))
    this.#flights.set(key, flight)
    return flight
  }
}
