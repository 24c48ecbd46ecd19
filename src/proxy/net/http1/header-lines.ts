/**
 * proxy/net/ sends one request to a callee and brings one response back, both streamed. This module knows no app ids and nothing of
 * Dapr. A truncated response is never passed on as complete, a request is only resent where that is safe, and neither side is buffered
 * beyond what the other one accepts.
 *
 * Heads are latin1 text throughout: a character is a byte, so any bytes that an app sends pass unchanged.
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

/** Whether a byte is in one of these classes; false for NaN (past the end of a text). */
export const isOf = (byte: number, classes: number): boolean => ((CLASSES[byte] ?? 0) & classes) !== 0

const MAX_DIGITS = 15

/** Reads a length of at most 15 decimal digits; -1 for other texts. */
export const lengthOf = (value: string): number => {
  if (value === '' || value.length > MAX_DIGITS) return -1
  let length = 0
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) return -1
    length = length * 10 + digit
  }
  return length
}

/** Treatment of a header. Kinds from `MARKED` on are kept, and reported as bits. */
export const KEEP = 0
export const DROP = 1
export const LENGTH = 2
export const CODING = 3
export const CONNECTION = 4
export const RENAME = 5
export const MARKED = 8

/** Headers of one connection: RFC 9110 §7.6.1, and headers of clients of proxies. */
export const HOP_BY_HOP: Readonly<Record<string, number>> = {
  'keep-alive': DROP,
  'proxy-connection': DROP,
  'proxy-authenticate': DROP,
  'proxy-authorization': DROP,
  'http2-settings': DROP,
  te: DROP,
  trailer: DROP
}

/** Headers that no other protocol has. */
export const OF_CONNECTION: ReadonlySet<string> = new Set(
  'connection keep-alive proxy-connection transfer-encoding upgrade te http2-settings'.split(' ')
)

/** Returns the kind of the header whose name is at this place in a text. */
export type HeaderKinds = (text: string, from: number, to: number) => number

const bucketOf = (length: number, first: number): number => (Math.min(length, 63) << 5) | (first & 31)

/** Whether a text contains a name (in lower case: letters, digits and `-`) at an index, ignoring case. */
const isAt = (text: string, from: number, name: string): boolean => {
  for (let index = 0; index < name.length; index++)
    if ((text.charCodeAt(from + index) | 32) !== name.charCodeAt(index)) return false
  return true
}

/**
 * A lookup for header names: the number of the listed name at a place in a text, ignoring case; 0 for all others.
 * Length and first byte reject most names, and no string is created.
 */
export const nameReader = (list: Readonly<Record<string, number>>): HeaderKinds => {
  const buckets: ({readonly name: string; readonly number: number}[] | undefined)[] = Array.from({
    length: bucketOf(64, 31) + 1
  })
  for (const [name, number] of Object.entries(list))
    (buckets[bucketOf(name.length, name.charCodeAt(0))] ??= []).push({name, number})
  return (text, from, to) => {
    const bucket = buckets[bucketOf(to - from, text.charCodeAt(from))]
    if (bucket === undefined) return 0
    for (const {name, number} of bucket) if (name.length === to - from && isAt(text, from, name)) return number
    return 0
  }
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

/** Returns header lines as node:http's flat list of names and values. */
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

/** Returns the first value of a header (lower case) in alternating names and values; undefined without one. */
export const valueOf = (pairs: readonly string[], name: string): string | undefined => {
  const at = pairs.findIndex(
    (each, index) => index % 2 === 0 && each.length === name.length && each.toLowerCase() === name
  )
  return at < 0 ? undefined : pairs[at + 1]
}

/** Header lines without the headers of these names (lower case). */
export const withoutHeaders = (lines: string, names: readonly string[]): string => {
  const dropped = new Set(names) // a head may name thousands
  return lines
    .split('\r\n')
    .filter(line => line !== '' && !dropped.has(line.slice(0, line.indexOf(':')).toLowerCase()))
    .map(line => `${line}\r\n`)
    .join('')
}

/** Headers by their names; `nameOf` returns the spelling of each name. Values of a repeated header are a list. */
export const headersByName = (
  pairs: readonly string[],
  nameOf: (name: string) => string
): Record<string, string | string[]> => {
  const headers = Object.create(null) as Record<string, string | string[]>
  for (let at = 0; at < pairs.length; at += 2) {
    const name = nameOf(pairs[at] ?? '')
    const value = pairs[at + 1] ?? ''
    const known = headers[name]
    if (Array.isArray(known)) known.push(value)
    else headers[name] = known === undefined ? value : [known, value]
  }
  return headers
}

/**
 * Returns names and values for node:http, each name in its first spelling. Adds chunked coding to a body without a length: node:http does
 * not do that for GET and DELETE.
 */
export function asWritten(pairs: readonly string[], hasBody: boolean): Record<string, string | string[]> {
  const names = new Map<string, string>()
  const headers = headersByName(pairs, written => {
    const name = names.get(written.toLowerCase()) ?? written
    names.set(written.toLowerCase(), name)
    return name
  })
  return hasBody && !names.has('content-length') ? {...headers, 'Transfer-Encoding': 'chunked'} : headers
}
