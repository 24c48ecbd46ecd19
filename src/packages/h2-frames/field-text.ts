import {COMPRESSION_ERROR, ConnectionError} from './frames.ts'
import {decodeHuffman} from './huffman.ts'

/** Static table of HPACK (RFC 7541, appendix A). Index 1 of HPACK is item 0 here. */
export const STATIC_FIELDS: readonly (readonly [name: string, value: string])[] = [
  ':authority',
  ':method|GET',
  ':method|POST',
  ':path|/',
  ':path|/index.html',
  ':scheme|http',
  ':scheme|https',
  ':status|200',
  ':status|204',
  ':status|206',
  ':status|304',
  ':status|400',
  ':status|404',
  ':status|500',
  'accept-charset',
  'accept-encoding|gzip, deflate',
  ...'accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control'.split(
    ' '
  ),
  ...'content-disposition content-encoding content-language content-length content-location content-range'.split(' '),
  ...'content-type cookie date etag expect expires from host if-match if-modified-since if-none-match'.split(' '),
  ...'if-range if-unmodified-since last-modified link location max-forwards proxy-authenticate'.split(' '),
  ...'proxy-authorization range referer refresh retry-after server set-cookie strict-transport-security'.split(' '),
  ...'transfer-encoding user-agent vary via www-authenticate'.split(' ')
].map(text => {
  const [name = '', value = ''] = text.split('|')
  return [name, value]
})

/** Encodes an integer (RFC 7541 §5.1). `prefix`: number of its bits in the first byte. `first`: the other bits of that byte. */
export const encodeInteger = (value: number, prefix: number, first: number): string => {
  const most = (1 << prefix) - 1
  if (value < most) return String.fromCharCode(first | value)
  let text = String.fromCharCode(first | most)
  let left = value - most
  for (; left > 127; left >>>= 7) text += String.fromCharCode((left & 127) | 128)
  return text + String.fromCharCode(left)
}

const encodeString = (text: string): string => encodeInteger(text.length, 7, 0) + text

/** Encodes a field as a literal, which means the same on every connection. Texts are latin1, the name in lower case. */
export const encodeField = (name: string, value: string): string => `\0${encodeString(name)}${encodeString(value)}`

/** Encodes a field whose name is in the static table, by the index of the name. */
export const encodeNamed = (index: number, value: string): string => encodeInteger(index, 4, 0) + encodeString(value)

/** Encodes a field whose value is encoded already: length, Huffman bit, bytes. */
export const encodeRaw = (name: string, raw: string): string => `\0${encodeString(name)}${raw}`

const MAX_KNOWN = 1000
const MAX_KNOWN_LENGTH = 256

/** Returns a copy of a text. V8 keeps the whole text of which a slice is a part. */
export const textCopy = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')

/** Length below which `kept` makes a copy. */
const COPIED_BYTES = 4096

/** Returns a text that can be stored: a copy of a short slice, which would keep a larger text in memory. */
export const kept = (text: string): string => (text.length < COPIED_BYTES ? textCopy(text) : text)

/** Decodes strings of HPACK (length, Huffman bit, bytes), and caches short ones. */
export class FieldTexts {
  readonly #known = new Map<string, string>()

  decode(raw: string): string {
    const known = this.#known.get(raw)
    if (known !== undefined) return known
    let at = 1
    if ((raw.charCodeAt(0) & 127) === 127) while (raw.charCodeAt(at++) > 127);
    const bytes = raw.slice(at)
    const text = (raw.charCodeAt(0) & 128) === 0 ? textCopy(bytes) : decodeHuffman(bytes)
    if (raw.length > MAX_KNOWN_LENGTH) return text
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(textCopy(raw), text)
    return text
  }
}

/** Reads the integers and strings of a header block, one after the other. */
export class BlockReader {
  at = 0
  block = ''

  integer(prefix: number): number {
    const most = (1 << prefix) - 1
    let value = this.byte() & most
    if (value < most) return value
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      value += (byte & 127) << shift
      if (byte < 128) return value
      if (shift > 14) throw new ConnectionError(COMPRESSION_ERROR, 'an integer that is too large')
    }
  }

  /** Returns the next string, still encoded. */
  string(): string {
    const from = this.at
    const length = this.integer(7)
    this.at += length
    if (this.at > this.block.length) throw new ConnectionError(COMPRESSION_ERROR, 'a text that is cut off')
    return this.block.slice(from, this.at)
  }

  byte(): number {
    if (this.at >= this.block.length) throw new ConnectionError(COMPRESSION_ERROR, 'a field that is cut off')
    return this.block.charCodeAt(this.at++)
  }
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
/** Headers that HTTP/2 forbids (RFC 9113 §8.2.2). */
const OF_HTTP1 = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

/** Whether a name is allowed in HTTP/2, apart from pseudo-header fields (RFC 9113 §8.2). */
export const isFieldName = (name: string): boolean => NAME.test(name) && !OF_HTTP1.has(name)
