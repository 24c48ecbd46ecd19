import {systemClock, type Clock} from '../../platform/clock.ts'

/** Time in ms without changes after which a single changed file is complete: editors write a file at once. */
const FILE_REST_MS = 20
/** Time without changes after which the files of one save of an editor are complete. */
const REST_MS = 50
/** Time without changes after which the files of a command are complete: a switch of branches writes in groups, further apart on a busy machine. */
const COMMAND_REST_MS = 250
/** Maximum number of files that an editor saves at once. More changed files are those of a command. */
const MAX_SAVED = 10
/** Continuous changes are reported after this time. */
const CAP_MS = 2000

/** Collects changes, and reports them together once no further change follows for a moment. */
export class Debouncer<T> {
  readonly #settled: (gathered: ReadonlyMap<string, T>) => void
  readonly #clock: Clock
  #gathered = new Map<string, T>()
  #since = 0
  #callOff = (): void => undefined

  constructor(settled: (gathered: ReadonlyMap<string, T>) => void, clock: Clock = systemClock) {
    this.#settled = settled
    this.#clock = clock
  }

  /** Whether collected changes are not reported yet. */
  get isGathering(): boolean {
    return this.#gathered.size > 0
  }

  /** Adds a change. The first value of a key stays. */
  add(key: string, what: T): void {
    const now = this.#clock.now()
    if (this.#gathered.size === 0) this.#since = now
    if (!this.#gathered.has(key)) this.#gathered.set(key, what)
    this.#callOff()
    const {size} = this.#gathered
    const restMs = size > MAX_SAVED ? COMMAND_REST_MS : size > 1 ? REST_MS : FILE_REST_MS
    this.#callOff = this.#clock.after(Math.min(restMs, Math.max(0, this.#since + CAP_MS - now)), () => this.#tell())
  }

  /** Reports at once. */
  flush(): void {
    this.#callOff()
    if (this.isGathering) this.#tell()
  }

  close(): void {
    this.#callOff()
    this.#gathered.clear()
  }

  #tell(): void {
    const gathered = this.#gathered
    this.#gathered = new Map()
    this.#settled(gathered)
  }
}
