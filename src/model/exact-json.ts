import {messageOf} from './errors.ts'
import {orElse} from './or-else.ts'

type Reviver = (key: string, value: unknown, context?: {readonly source?: string}) => unknown

/** JSON with the source text of numbers (ECMAScript 2026: JSON.parse source text access). */
const json = JSON as unknown as {parse(text: string, reviver: Reviver): unknown; rawJSON(text: string): object}

/** Matches a number that JSON.parse may round. Without one, JSON.parse is exact, eight times as fast, and reads deeper nesting. */
const LONG_NUMBER = /\d{16}/

/** Parses JSON of an app or a user. A whole number beyond 2⁵³, which JavaScript would round, becomes a bigint for `exactText`. Throws a SyntaxError. */
export const parseExactly = (text: string): unknown =>
  LONG_NUMBER.test(text) ? json.parse(text, exact) : JSON.parse(text)

/** Parses a secret text as `parseExactly` does. Its errors show no part of the text. */
export function parseSecret(text: string): unknown {
  try {
    return parseExactly(text)
  } catch (error) {
    throw new Error(messageOf(error).replace(/(?:, )?(?:\.{3})?".*(?= is not valid JSON$)/s, ''), {cause: error})
  }
}

const exact: Reviver = (_, value, {source = ''} = {}) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? BigInt(source) : value

/** Parses JSON; returns any other text unchanged. */
export const jsonOrText = (text: string): unknown => orElse(() => parseExactly(text), text)

/** Returns the JSON of a value that `parseExactly` has read. */
export const exactText = (value: unknown): string =>
  // `JSON.stringify` throws for a bigint
  orElse(() => JSON.stringify(value), undefined) ??
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? json.rawJSON(inner.toString()) : inner))
