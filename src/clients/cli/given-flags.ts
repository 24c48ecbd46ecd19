/** The flags that the user gave, by name. */
export class GivenFlags {
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }

  /** Returns these flags, with `values` in place of flags of the same name. */
  with(values: Readonly<Record<string, unknown>>): GivenFlags {
    return new GivenFlags({...this.#values, ...values})
  }

  get names(): readonly string[] {
    return Object.keys(this.#values)
  }

  /** Returns the flags as typed, except these names: `--only=shop`. */
  typed(except: readonly string[]): readonly string[] {
    return this.names
      .filter(name => !except.includes(name))
      .flatMap(name => {
        const text = this.text(name) ?? this.int(name)?.toString()
        if (text !== undefined) return [`--${name}=${text}`]
        return this.isSet(name) ? [`--${name}`] : this.list(name).map(value => `--${name}=${value}`)
      })
  }

  text(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  int(name: string): number | undefined {
    const value = this.#values[name]
    return typeof value === 'number' ? value : undefined
  }

  isSet(name: string): boolean {
    return this.#values[name] === true
  }

  list(name: string): readonly string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? (value as readonly string[]) : []
  }
}
