/**
 * HTTP on sockets: connections to callees, one request sent on, one answer brought back, both streamed. This module knows
 * no app ids and nothing of Dapr; who speaks HTTP uses it. It promises that an answer is never shown whole when it was
 * cut, that a request is never sent twice by itself but where that is harmless, and that no side is buffered beyond
 * what the other one takes.
 *
 * Heads are latin1 text throughout: one character is one byte, and whatever an app writes passes unchanged.
 */

/** Classes of bytes, RFC 9110 §5.6 and RFC 3986 §3.3; a byte may be in several. */
export const TOKEN = 1
export const VALUE = 2
/** What needs no escape in a path and none is made of: no `%`. */
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

/** A length in decimal digits, at most 15 of them; -1 for anything else. */
export const lengthOf = (value: string): number => (/^\d{1,15}$/.test(value) ? Number(value) : -1)

/** What a reader of header lines does with a field. Numbers from `MARKED` on are kept, and told by their bits. */
export const KEEP = 0
export const DROP = 1
export const LENGTH = 2
export const CODING = 3
export const CONNECTION = 4
export const RENAME = 5
export const MARKED = 8

/** Fields that concern one connection alone: RFC 9110 §7.6.1, and what clients of proxies send. */
export const HOP_BY_HOP: Readonly<Record<string, number>> = {
  'keep-alive': DROP,
  'proxy-connection': DROP,
  'proxy-authenticate': DROP,
  'proxy-authorization': DROP,
  'http2-settings': DROP,
  te: DROP,
  trailer: DROP
}

/** Tells, for a field's name at a place in a text, what to do with the field. */
export type FieldKinds = (text: string, from: number, to: number) => number

/**
 * A reader of names: the number of the listed name at a place in a text, capitals or not, 0 for all others.
 * Most names never become a string: their length alone says no.
 */
export const nameReader = (list: Readonly<Record<string, number>>): FieldKinds => {
  const numbers = new Map(Object.entries(list))
  const lengths = new Uint8Array(64)
  for (const name of numbers.keys()) lengths[name.length] = 1
  return (text, from, to) =>
    to - from < 64 && lengths[to - from] === 1 ? (numbers.get(text.slice(from, to).toLowerCase()) ?? 0) : 0
}

const isBlank = (byte: number): boolean => byte === 32 || byte === 9

/** A part of a text without blanks and tabs around it. Not `trim()`: that takes the byte A0 too. */
export const trimmed = (text: string, from = 0, to = text.length): string => {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

/** The words of a comma list (a Connection field's), in small letters. */
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

/** Header lines without the fields of these names (small letters). */
export const withoutFields = (lines: string, names: readonly string[]): string =>
  lines
    .split('\r\n')
    .filter(line => line !== '' && !names.includes(line.slice(0, line.indexOf(':')).toLowerCase()))
    .map(line => `${line}\r\n`)
    .join('')
