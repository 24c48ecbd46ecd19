/** Keeps what was used last: of more than `max` values the one that was used longest ago is dropped. */
export class Recent<Value> {
  readonly #max: number
  readonly #values = new Map<string, Value>()

  constructor(max: number) {
    this.#max = max
  }

  /** The value of a key, made when it is not there. */
  get(key: string, make: () => Value): Value {
    const value = this.#values.get(key) ?? make()
    this.#values.delete(key)
    this.#values.set(key, value)
    const [oldest] = this.#values.keys()
    if (oldest !== undefined && this.#values.size > this.#max) this.#values.delete(oldest)
    return value
  }

  /** The one used last comes last. */
  values(): readonly Value[] {
    return [...this.#values.values()]
  }
}
