/** Maximum number of cached paths; beyond it the cache is cleared. The metrics keep their series. */
const MAX_PATHS = 1000

/** Values by path, verb and status: finds the series of a call with three lookups and no allocation. */
export class SeriesCache<Value> {
  readonly #create: (path: string, verb: string, status: number) => Value
  readonly #keyOf: (path: string) => string
  /** Calls that come one after the other are often alike: comparing costs less than hashing. */
  #path = ''
  #verb = ''
  #status = -1
  #value: Value | undefined
  readonly #paths = new Map<string, Map<string, Map<number, Value>>>()

  /** `keyOf`: the common key of paths with one series, which `create` gets. */
  constructor(create: (path: string, verb: string, status: number) => Value, keyOf = (path: string): string => path) {
    this.#create = create
    this.#keyOf = keyOf
  }

  get(path: string, verb: string, status: number): Value {
    if (this.#value !== undefined && this.#status === status && this.#verb === verb && this.#path === path)
      return this.#value
    const key = this.#keyOf(path)
    const value = this.#paths.get(key)?.get(verb)?.get(status) ?? this.#add(key, verb, status)
    this.#path = path
    this.#verb = verb
    this.#status = status
    this.#value = value
    return value
  }

  #add(path: string, verb: string, status: number): Value {
    if (this.#paths.size >= MAX_PATHS && !this.#paths.has(path)) this.#paths.clear()
    const verbs = this.#paths.get(path) ?? new Map<string, Map<number, Value>>()
    this.#paths.set(path, verbs)
    const statuses = verbs.get(verb) ?? new Map<number, Value>()
    verbs.set(verb, statuses)
    const value = this.#create(path, verb, status)
    statuses.set(status, value)
    return value
  }
}
