/**
 * net/ sends one request to a callee and brings one response back, both streamed. This module knows no app ids and nothing of
 * Dapr. It guarantees that a truncated response is never passed on as complete, that a request is only resent where that is
 * safe, and that neither side is buffered beyond what the other one accepts.
 *
 * Heads are latin1 text throughout: one character is one byte, so any bytes that an app sends pass unchanged.
 */

/** Classes of bytes, RFC 9110 §5.6 and RFC 3986 §3.3; a byte may belong to several. */
export const TOKEN = 1
export const VALUE = 2
/** Needs no escape in a path and is not part of one: no `%`. */
export const PATH = 4
export const QUERY = 8

const classOf = (byte: number): number => {
  const character = String.fromCharCode(byte)
  return (
    (/[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(character) ? TOKEN : 0) |
    (byte === 9 || (byte >= 32 && byte !== 127) ? VALUE : 0) |
    (/[A-Za-z0-9\-._~!$&'()*+,;=:@/]/.test(character) ? PATH : 0) |
    (byte > 32 && byte !== 127 && character !== '#' ? QUERY : 0)
  )
}

const CLASSES = Uint8Array.from({length: 256}, (_, byte) => classOf(byte))

/** Whether a byte is of one of these classes; NaN (past the end of a text) is of none. */
export const isOf = (byte: number, classes: number): boolean => ((CLASSES[byte] ?? 0) & classes) !== 0

/** A length in decimal digits, at most 15; -1 for anything else. */
export const lengthOf = (value: string): number => (/^\d{1,15}$/.test(value) ? Number(value) : -1)

/** What to do with a header. Kinds from `MARKED` on are kept, and reported as bits. */
export const KEEP = 0
export const DROP = 1
export const LENGTH = 2
export const CODING = 3
export const CONNECTION = 4
export const RENAME = 5
export const MARKED = 8

/** Headers of one connection: RFC 9110 §7.6.1, and what clients of proxies send. */
export const HOP_BY_HOP: Readonly<Record<string, number>> = {
  'keep-alive': DROP,
  'proxy-connection': DROP,
  'proxy-authenticate': DROP,
  'proxy-authorization': DROP,
  'http2-settings': DROP,
  te: DROP,
  trailer: DROP
}

/** Returns the kind of the header whose name is at this place in a text. */
export type HeaderKinds = (text: string, from: number, to: number) => number

/**
 * A lookup for header names: the number of the listed name at a place in a text, ignoring case; 0 for all others.
 * Most names are rejected by their length, without creating a string.
 */
export const nameReader = (list: Readonly<Record<string, number>>): HeaderKinds => {
  const numbers = new Map(Object.entries(list))
  const lengths = new Uint8Array(64)
  for (const name of numbers.keys()) lengths[name.length] = 1
  return (text, from, to) =>
    to - from < 64 && lengths[to - from] === 1 ? (numbers.get(text.slice(from, to).toLowerCase()) ?? 0) : 0
}

const isBlank = (byte: number): boolean => byte === 32 || byte === 9

/** Part of a text without spaces and tabs around it. Not `trim()`, which also removes the byte A0. */
export const trimmed = (text: string, from = 0, to = text.length): string => {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

/** The elements of a comma-separated list (as in Connection), in lower case. */
export const wordsOf = (value: string): string[] =>
  value
    .toLowerCase()
    .split(',')
    .map(word => trimmed(word))
    .filter(word => word !== '')

/** Header lines as the flat list of names and values that node:http takes. */
export const pairsOf = (lines: string): string[] => {
  const pairs: string[] = []
  for (let at = 0; at < lines.length;) {
    const colon = lines.indexOf(':', at)
    const end = lines.indexOf('\r\n', colon)
    pairs.push(lines.slice(at, colon), trimmed(lines, colon + 1, end))
    at = end + 2
  }
  return pairs
}

/** Header lines without the headers of these names (lower case). */
export const withoutHeaders = (lines: string, names: readonly string[]): string =>
  lines
    .split('\r\n')
    .filter(line => line !== '' && !names.includes(line.slice(0, line.indexOf(':')).toLowerCase()))
    .map(line => `${line}\r\n`)
    .join('')
