import {ownOf} from '../../../model/own.ts'

const ESCAPES = /[<>&\u2028\u2029]/g
const escapeOf = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Adds the escapes of Go's json.Marshal to JSON: those of `<`, `>`, `&` and the line separators U+2028 and U+2029. */
export const goEscaped = (json: string): string => json.replace(ESCAPES, escapeOf)

/** Returns a value as JSON, as Go's json.Marshal writes it. */
export const goJson = (value: unknown): string => goEscaped(JSON.stringify(value))

/** Returns the entries sorted by key, the order in which json.Marshal writes a map. */
export const sortedByKey = (record: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))

const NAMED: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\'
}

// the characters that %q escapes: the quote, the backslash and control characters
// oxlint-disable-next-line no-control-regex
const QUOTED = /["\\\u0000-\u001f\u007f-\u009f]/g

const quoteOf = (character: string): string => {
  const code = character.charCodeAt(0)
  return (
    ownOf(NAMED, character) ??
    (code < 128 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`)
  )
}

/** Quotes a text as Go's %q does. */
export const goQuote = (text: string): string => `"${text.replace(QUOTED, quoteOf)}"`
