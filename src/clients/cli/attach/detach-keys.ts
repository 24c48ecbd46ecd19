import {UsageError} from '../command-handler.ts'

/** The detach keys of `docker attach`. */
export const USUAL_DETACH_KEYS = 'ctrl-p,ctrl-q'

/** Converts keys in the form of `docker attach` (`ctrl-p,ctrl-q`, `q`) to the characters that a terminal sends. Throws a UsageError. */
export function readDetachKeys(text: string): string {
  const keys = text.split(/,(?!$)/).map(word => {
    const [, control = '', character = ''] = /^(?:(?:ctrl-([a-z@[\\\]^_]))|([!-~]))$/i.exec(word) ?? []
    if (control !== '') return String.fromCharCode(control.toUpperCase().charCodeAt(0) - 64)
    return character
  })
  if (keys.every(key => key !== '')) return keys.join('')
  throw new UsageError(
    `invalid argument "${text}" for "--detach-keys" flag: expected keys with commas between them, like ctrl-p,ctrl-q or ctrl-]`
  )
}

/** Returns keys for people: `Ctrl-P Ctrl-Q`. */
export const detachKeysText = (keys: string): string =>
  Array.from(keys, key => (key < ' ' ? `Ctrl-${String.fromCharCode(key.charCodeAt(0) + 64)}` : key)).join(' ')

/** Removes the detach keys from typed text. */
export class DetachKeys {
  readonly #keys: string
  #count = 0

  constructor(keys: string) {
    this.#keys = keys
  }

  /**
   * Returns the latin1 text for the app, and whether all detach keys were typed. Drops text after them, and holds back the first keys
   * until the next key decides.
   */
  push(text: string): {readonly typed: string; readonly isDetached: boolean} {
    let typed = ''
    for (const character of text) {
      if (character !== this.#keys[this.#count]) typed += this.release()
      if (character === this.#keys[this.#count]) this.#count++
      else typed += character
      if (this.#count === this.#keys.length) return {typed, isDetached: true}
    }
    return {typed, isDetached: false}
  }

  /** Returns the keys that were held back, which belong to the app after all. */
  release(): string {
    const held = this.#keys.slice(0, this.#count)
    this.#count = 0
    return held
  }
}
