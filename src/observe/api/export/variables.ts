import {randomBytes} from 'node:crypto'
import {Masking} from '../../telemetry/recorder/masking.ts'

/** Names that a shell gives a meaning. */
const TAKEN = new Set(['ENV', 'HOME', 'IFS', 'LANG', 'PATH', 'PS1', 'PS4', 'PWD', 'SHELL', 'TERM', 'USER'])

/**
 * Masks the secrets of a call so that they can be found again, and variables put in their place. Texts of apps cannot pass for a variable, since the marks
 * are random.
 */
export class Variables {
  readonly masking: Masking
  readonly #mark = randomBytes(12).toString('hex')
  /** Numbers of the different secrets of the call that share a name. */
  readonly #values = new Map<string, Map<string, number>>()

  constructor(masked: readonly string[]) {
    const between = (text: string): string => `${this.#mark}${text}${this.#mark}`
    this.masking = new Masking(masked, (value, name) => between(this.#variable(value, nameOf(name))))
  }

  #variable(value: string, name: string): string {
    const values = this.#values.get(name) ?? new Map<string, number>()
    const count = values.get(value) ?? values.size + 1
    this.#values.set(name, values.set(value, count))
    return count === 1 ? name : `${name}__${count}`
  }

  /** A masked text: pieces of text at even places, names of variables at odd ones. */
  split(text: string): readonly string[] {
    return text.split(this.#mark)
  }
}

/** `Dapr-Api-Token` is `DAPR_API_TOKEN`. */
function nameOf(name: string): string {
  const upper = name.toUpperCase().replace(/[^A-Z\d]+/g, '_')
  return TAKEN.has(upper) || !/^[A-Z]/.test(upper) ? `MASKED_${upper}` : upper
}
