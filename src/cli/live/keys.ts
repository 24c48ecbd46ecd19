import type {Clock} from '../../platform/clock.ts'

/** Whoever types leaves more time between two keys; what is pasted comes in one piece, or nearly. */
const APART_MS = 30

export interface KeysOptions {
  readonly clock: Clock
  /** A key that was pressed alone. */
  readonly pressed: (key: string) => void
}

/** Tells keys that somebody presses from text that is pasted: a key comes alone, with nothing shortly before and behind it. */
export class Keys {
  readonly #options: KeysOptions
  #latest = -Infinity
  #callOff = (): void => undefined

  constructor(options: KeysOptions) {
    this.#options = options
  }

  /** What the terminal gave at once. */
  push(chunk: string): void {
    const {clock} = this.#options
    this.#callOff()
    const isAlone = chunk.length === 1 && clock.now() - this.#latest >= APART_MS
    this.#latest = clock.now()
    if (isAlone) this.#callOff = clock.after(APART_MS, () => this.#tellSoon(chunk))
  }

  /** Nothing is told any more. */
  end(): void {
    this.#callOff()
  }

  /** After the next look at the terminal: if we were busy, more may have come that has not been read yet. */
  #tellSoon(key: string): void {
    const {clock, pressed} = this.#options
    this.#callOff = clock.after(0, () => pressed(key))
  }
}
