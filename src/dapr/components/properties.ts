import {resolve} from 'node:path'
import {messageOf, type Place} from '../../model/errors.ts'
import {isTruthy} from '../../model/truthy.ts'
import {parseGoDuration} from '../../model/go-duration.ts'

/** Mistake in the file of a component. */
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

/** Longest timer of Node, 24.8 days. For a longer one it fires at once. */
const MAX_MS = 2 ** 31 - 1

/** Minimum length of a value that messages hide as a secret. Shorter values are common words of messages. */
const MIN_SECRET = 8

export const without = (secret: string, text: string): string =>
  secret.length < MIN_SECRET ? text : text.replaceAll(secret, '***')

const FALSE = /^(?:n|no|false|f|off|0|)$/i

/** The metadata of a component. Names are found in any capitals; of equal ones the last counts (Dapr: metadata.GetMetadataProperty). */
export class Properties {
  readonly #all = new Map<string, Property>()

  constructor(properties: readonly Property[]) {
    for (const property of properties) this.#all.set(property.name.toLowerCase(), property)
  }

  /** The value of a property; '' if there is none. */
  text(name: string): string {
    return this.#all.get(name.toLowerCase())?.value ?? ''
  }

  has(name: string): boolean {
    return this.text(name) !== ''
  }

  /** Dapr's words for true; other words than those and their opposites are a fault. */
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
   * Returns a duration in whole ms, within the range of Redis and `AbortSignal.timeout`. A bare number counts units of `unitMs` (Dapr:
   * milliseconds for Redis, seconds elsewhere).
   */
  durationMs(name: string, fallback: number, unitMs = 1, mostMs = MAX_MS): number {
    const text = this.text(name)
    if (text === '') return fallback
    const ms = /^[-+]?\d+$/.test(text) ? Number(text) * unitMs : parseGoDuration(text)
    return typeof ms === 'number' ? Math.min(Math.ceil(ms), mostMs) : this.fault(name, `${name}: ${ms}`)
  }

  /** The place of a property; undefined: there is none. */
  placeOf(name: string): Place | undefined {
    return this.#all.get(name.toLowerCase())?.place
  }

  /** Throws the mistake of a property, with its place and without secrets. */
  fault(name: string, message: string): never {
    throw new ComponentFault(this.shown(name, message), this.placeOf(name))
  }

  /** Returns a value, or a path made of it, as the user wrote it, for messages. */
  shown(name: string, text: string): string {
    const {value = '', isSecret = false} = this.#all.get(name.toLowerCase()) ?? {}
    const secrets = [value.trim(), resolve('/', value.trim()).slice(1)]
    return withoutPassword(isSecret ? secrets.reduce((shown, secret) => without(secret, shown), text) : text)
  }
}

/** URLs as Go shows them in errors: `http://me:***@host`. */
const withoutPassword = (text: string): string => text.replaceAll(/(:\/\/[^\s/?#@:"]*:)[^\s/?#"]*@/g, '$1***@')

/** The texts that are not empty. */
export const filled = <T extends Readonly<Record<string, string>>>(texts: T): Partial<T> =>
  Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== '')) as Partial<T>

/** Makes the handler of a rejection: it throws an error with these words and the reason. */
export const because =
  (words: string) =>
  (error: unknown): never => {
    throw new Error(`${words}: ${messageOf(error)}`, {cause: error})
  }

/** The reason for a failed connection: a host with several addresses fails with one error for each. */
export const connectFailure = (error: unknown): string =>
  error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error)
