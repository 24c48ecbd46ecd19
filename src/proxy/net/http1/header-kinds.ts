/* Tables for parsing heads of HTTP/1: which bytes each part allows, and how a header of each name is treated. */

/** Classes of bytes as bits (RFC 9110 §5.6, RFC 3986 §3.3). A byte may belong to several. */
export const TOKEN = 1
export const VALUE = 2
/** Bytes of a path that need no decoding: no `%`. */
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

/** Whether a byte is in one of these classes; false also for NaN, which `charCodeAt` returns after the end of a text. */
export const isOf = (byte: number, classes: number): boolean => ((CLASSES[byte] ?? 0) & classes) !== 0

const MAX_DIGITS = 15

/** Reads a length of at most 15 decimal digits; -1: another text. */
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

/** Treatments of a header by a proxy. Kinds from `MARKED` on are bits: the header stays, and its bit is set in the flags of the head. */
export const KEEP = 0
export const DROP = 1
export const LENGTH = 2
export const CODING = 3
export const CONNECTION = 4
export const RENAME = 5
export const MARKED = 8

/** Headers that apply to one connection only (RFC 9110 §7.6.1, and headers for proxies), so that they are dropped. */
export const HOP_BY_HOP: Readonly<Record<string, number>> = {
  'keep-alive': DROP,
  'proxy-connection': DROP,
  'proxy-authenticate': DROP,
  'proxy-authorization': DROP,
  'http2-settings': DROP,
  te: DROP,
  trailer: DROP
}

/** Headers of HTTP/1 connections, which HTTP/2 and gRPC do not have. */
export const OF_CONNECTION: ReadonlySet<string> = new Set(
  'connection keep-alive proxy-connection transfer-encoding upgrade te http2-settings'.split(' ')
)

/** Returns the kind of the header whose name is at `from` to `to` of a text. */
export type HeaderKinds = (text: string, from: number, to: number) => number

const bucketOf = (length: number, first: number): number => (Math.min(length, 63) << 5) | (first & 31)

/** Whether a text contains a name at an index, ignoring case. `name`: letters, digits and `-`, in lower case. */
const isAt = (text: string, from: number, name: string): boolean => {
  for (let index = 0; index < name.length; index++)
    if ((text.charCodeAt(from + index) | 32) !== name.charCodeAt(index)) return false
  return true
}

/** Returns a lookup of header names in a text, ignoring case; 0: not listed. Length and first byte reject most names without a new string. */
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
