/**
 * Runs one piece of work at a time for each key. Callers with the same key wait for that piece (Go: singleflight). Only the work itself ends its entry: a waiting caller could remove the entry of the next piece.
 */
export class SingleFlight<K, T> {
  readonly #flights = new Map<K, Promise<T>>()

  /** How many keys have work under way. */
  get size(): number {
    return this.#flights.size
  }

  /** Settles when all current work has ended or failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#flights.values())
  }

  /** The result of the work under way for the key, or of `work`, which begins now. */
  do(key: K, work: () => Promise<T>): Promise<T> {
    const flying = this.#flights.get(key)
    if (flying !== undefined) return flying
    const flight = work().finally(() => this.#flights.delete(key))
    this.#flights.set(key, flight)
    return flight
  }
}
