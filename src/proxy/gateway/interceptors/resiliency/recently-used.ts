/** A cache that drops the least recently used value when it holds more than `max`. */
export class RecentlyUsed<Value> {
  readonly #max: number
  readonly #values = new Map<string, Value>()

  constructor(max: number) {
    this.#max = max
  }

  /** The value of a key, created if it is missing. */
  get(key: string, make: () => Value): Value {
    const value = this.#values.get(key) ?? make()
    this.#values.delete(key)
    this.#values.set(key, value)
    const [oldest] = this.#values.keys()
    if (oldest !== undefined && this.#values.size > this.#max) this.#values.delete(oldest)
    return value
  }

  /** Returns the values, the least recently used first. */
  values(): readonly Value[] {
    return [...this.#values.values()]
  }
}
