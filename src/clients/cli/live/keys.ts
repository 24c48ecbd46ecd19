import type {Clock} from '../../../platform/clock.ts'

/** Minimum pause between two typed keys; pasted text arrives in one piece, or nearly. */
const APART_MS = 30

/** Distinguishes typed keys from pasted text: a key arrives alone, with a pause before and after it. */
export class Keys {
  readonly #clock: Clock
  /** A key that was pressed alone. */
  readonly #pressed: (key: string) => void
  #latest = -Infinity
  #callOff = (): void => undefined

  constructor(clock: Clock, pressed: (key: string) => void) {
    this.#clock = clock
    this.#pressed = pressed
  }

  /** Text that one read of the terminal returned. */
  push(chunk: string): void {
    this.#callOff()
    const isAlone = chunk.length === 1 && this.#clock.now() - this.#latest >= APART_MS
    this.#latest = this.#clock.now()
    if (isAlone) this.#callOff = this.#clock.after(APART_MS, () => this.#tellSoon(chunk))
  }

  /** Ignores all further input. */
  end(): void {
    this.#callOff()
  }

  /** Waits for the next read: if we were busy, more input may be pending. */
  #tellSoon(key: string): void {
    this.#callOff = this.#clock.after(0, () => this.#pressed(key))
  }
}
