/**
 * Work of which one at a time is under way for each key: who asks meanwhile waits for that one (Go: singleflight). Only the work itself
 * ends its entry: where each of those who wait removes it, the second removes what the next one has begun.
 */
export class SingleFlight<K, T> {
  readonly #flights = new Map<K, Promise<T>>()

  /** How many keys have work under way. */
  get size(): number {
    return this.#flights.size
  }

  /** Settles when what is under way now has ended, however it ends. */
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
