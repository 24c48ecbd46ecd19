import {resolve} from 'node:path'
import {messageOf, type Place} from '../../model/errors.ts'
import {isTruthy} from '../../model/truthy.ts'
import {parseGoDuration} from '../../model/go-duration.ts'

/** The error for a mistake in the file of a component. */
export class ComponentFault extends Error {
  readonly place: Place | undefined

  constructor(message: string, place?: Place) {
    super(message)
    this.name = 'ComponentFault'
    this.place = place
  }
}

/** A property of a component with its value, once secrets and variables have been looked up. */
export interface Property {
  readonly name: string
  readonly value: string
  /** Whether messages must not show the value. */
  readonly isSecret?: boolean
  readonly place: Place
}

/** Longest delay of a Node timer, 24.8 days: with a longer one, it fires at once. */
const MAX_MS = 2 ** 31 - 1

/** Minimum length of a secret that messages hide. Shorter ones may be parts of common words. */
const MIN_SECRET = 8

export const without = (secret: string, text: string): string =>
  secret.length < MIN_SECRET ? text : text.replaceAll(secret, '***')

const FALSE = /^(?:n|no|false|f|off|0|)$/i

/** The metadata of a component. Names are not case-sensitive; of equal names the last counts (Dapr: metadata.GetMetadataProperty). */
export class Properties {
  readonly #all = new Map<string, Property>()

  constructor(properties: readonly Property[]) {
    for (const property of properties) this.#all.set(property.name.toLowerCase(), property)
  }

  /** Returns the value of a property; '': it is not set. */
  text(name: string): string {
    return this.#all.get(name.toLowerCase())?.value ?? ''
  }

  has(name: string): boolean {
    return this.text(name) !== ''
  }

  /** Reads one of Dapr's words for true and false. Throws a ComponentFault for other words. */
  boolean(name: string, fallback = false): boolean {
    const text = this.text(name)
    if (text === '') return fallback
    if (isTruthy(text)) return true
    return FALSE.test(text) ? false : this.fault(name, `${name} must be true or false, and not "${text}"`)
  }

  /** Whether the value is one of Dapr's words for true. */
  isTrue(name: string): boolean {
    return isTruthy(this.text(name))
  }

  integer(name: string, fallback: number): number {
    const text = this.text(name)
    if (text === '') return fallback
    return /^-?\d+$/.test(text) ? Number(text) : this.fault(name, `${name} must be a whole number, and not "${text}"`)
  }

  /**
   * Returns a duration in whole ms, at most `mostMs`, a limit of Redis and `AbortSignal.timeout`. A bare number counts units of `unitMs`
   * (Dapr: milliseconds for Redis, seconds elsewhere).
   */
  durationMs(name: string, fallback: number, unitMs = 1, mostMs = MAX_MS): number {
    const text = this.text(name)
    if (text === '') return fallback
    const ms = /^[-+]?\d+$/.test(text) ? Number(text) * unitMs : parseGoDuration(text)
    return typeof ms === 'number' ? Math.min(Math.ceil(ms), mostMs) : this.fault(name, `${name}: ${ms}`)
  }

  /** Returns the place of a property in its file; undefined: it is not set. */
  placeOf(name: string): Place | undefined {
    return this.#all.get(name.toLowerCase())?.place
  }

  /** Throws a ComponentFault with the place of a property, and without secrets. */
  fault(name: string, message: string): never {
    throw new ComponentFault(this.shown(name, message), this.placeOf(name))
  }

  /** Hides the value of a secret property, and passwords of URLs, in a message. */
  shown(name: string, text: string): string {
    const {value = '', isSecret = false} = this.#all.get(name.toLowerCase()) ?? {}
    const secrets = [value.trim(), resolve('/', value.trim()).slice(1)]
    return withoutPassword(isSecret ? secrets.reduce((shown, secret) => without(secret, shown), text) : text)
  }
}

/** Hides passwords of URLs as Go does: `http://me:***@host`. */
const withoutPassword = (text: string): string => text.replaceAll(/(:\/\/[^\s/?#@:"]*:)[^\s/?#"]*@/g, '$1***@')

/** Removes empty texts. */
export const filled = <T extends Readonly<Record<string, string>>>(texts: T): Partial<T> =>
  Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== '')) as Partial<T>

/** Returns a handler for `catch`, which throws an error with these words and the reason. */
export const because =
  (words: string) =>
  (error: unknown): never => {
    throw new Error(`${words}: ${messageOf(error)}`, {cause: error})
  }

/** Returns the reason of a failed connection. A host with several addresses fails with an error for each. */
export const connectFailure = (error: unknown): string =>
  error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error)
