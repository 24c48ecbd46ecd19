import {type FieldSink, type HeaderField, isFieldName} from '#h2-frames'

const PSEUDO = new Set([':method', ':path', ':authority', ':scheme'])
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const TARGET = /^[/*][\x21-\x7e\x80-\xff]*$/
const AUTHORITY = /^[\x21-\x7e]*$/
/** Matches characters that a value must not contain (RFC 9113 §8.2.1). */
// oxlint-disable-next-line no-control-regex
export const BAD_VALUE = /[\0-\x08\n-\x1f\x7f]/

/** Reads the head of an HTTP/2 request into the form of HTTP/1. Checks every character, since an app gets the head as HTTP/1 text. */
export class Http2Head implements FieldSink {
  /** Whether the head breaks the rules of HTTP/2 (RFC 9113 §8). */
  isMalformed = false
  readonly #pseudo = new Map<string, string>()
  readonly #pairs: string[] = []
  #cookie = ''
  #hasHost = false
  #length: string | undefined

  field(field: HeaderField): void {
    const {name} = field
    const value = field.value()
    if (BAD_VALUE.test(value)) this.isMalformed = true
    if (PSEUDO.has(name)) {
      const isLate = this.#pairs.length > 0 || this.#cookie !== ''
      if (isLate || this.#pseudo.has(name)) this.isMalformed = true
      this.#pseudo.set(name, value)
      return
    }
    if (!isFieldName(name) || (name === 'te' && value.toLowerCase() !== 'trailers')) this.isMalformed = true
    // joins several cookie headers to one (RFC 9113 §8.2.3)
    if (name === 'cookie') {
      this.#cookie += this.#cookie === '' ? value : `; ${value}`
      return
    }
    if (name === 'host') this.#hasHost = true
    if (name === 'content-length') {
      if (this.#length !== undefined || !/^\d{1,15}$/.test(value)) this.isMalformed = true
      this.#length = value
    }
    this.#pairs.push(name, value)
  }

  /** Checks the whole head. `isLast`: no body follows. */
  end(isLast: boolean): void {
    if (isLast && this.length > 0) this.isMalformed = true
    if (!METHOD.test(this.#of(':method')) || !AUTHORITY.test(this.#of(':authority'))) this.isMalformed = true
    if (this.#of(':method') === 'CONNECT') return
    if (!TARGET.test(this.url) || this.#of(':scheme') === '') this.isMalformed = true
  }

  get method(): string {
    return this.#of(':method').toUpperCase()
  }

  get url(): string {
    return this.#of(':path')
  }

  /** Length of the body; -1: unknown. */
  get length(): number {
    return this.#length === undefined ? -1 : Number(this.#length)
  }

  /** Returns the headers, with Host and Transfer-Encoding where HTTP/1 would have them: names and values alternate. */
  rawHeaders(isLast: boolean): string[] {
    const raw = this.#pairs
    const authority = this.#pseudo.get(':authority')
    if (this.#cookie !== '') raw.push('cookie', this.#cookie)
    if (!this.#hasHost && authority !== undefined) raw.push('host', authority)
    if (this.#length === undefined && !isLast) raw.push('transfer-encoding', 'chunked')
    return raw
  }

  #of(name: string): string {
    return this.#pseudo.get(name) ?? ''
  }
}
