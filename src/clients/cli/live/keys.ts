import type {Clock} from '../../../platform/clock.ts'

/** Minimum pause between two typed keys; pasted text arrives in one piece, or nearly. */
const APART_MS = 30

export interface KeysOptions {
  readonly clock: Clock
  /** A key that was pressed alone. */
  readonly pressed: (key: string) => void
}

/** Distinguishes typed keys from pasted text: a key arrives alone, with a pause before and after it. */
export class Keys {
  readonly #options: KeysOptions
  #latest = -Infinity
  #callOff = (): void => undefined

  constructor(options: KeysOptions) {
    this.#options = options
  }

  /** Text that one read of the terminal returned. */
  push(chunk: string): void {
    const {clock} = this.#options
    this.#callOff()
    const isAlone = chunk.length === 1 && clock.now() - this.#latest >= APART_MS
    this.#latest = clock.now()
    if (isAlone) this.#callOff = clock.after(APART_MS, () => this.#tellSoon(chunk))
  }

  /** Ignores all further input. */
  end(): void {
    this.#callOff()
  }

  /** Waits for the next read: if we were busy, more input may be pending. */
  #tellSoon(key: string): void {
    const {clock, pressed} = this.#options
    this.#callOff = clock.after(0, () => pressed(key))
  }
}
