/** Names whose values are masked wherever recorded bytes leave the process; so is any name that contains one of the words. */
const NAMES = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie'])
const WORDS = /token|key|secret|password|passwd|session|signature/i
/** Names that contain one of the words and are no secrets. */
const HARMLESS = /^(?:sec-websocket-key|idempotency-key|x-idempotency-key)$/i

/** What stands in place of a secret value. */
export type MaskOf = (value: string, name: string) => string

/** Replaces what is secret in recorded requests and responses. A mask tells the length of a value, and nothing of it. */
export class Masking {
  readonly #more: ReadonlySet<string>
  readonly #mask: MaskOf

  /** `more`: further names, in any case. */
  constructor(more: readonly string[] = [], maskOf: MaskOf = lengthOnly) {
    this.#more = new Set(more.map(name => name.toLowerCase()))
    this.#mask = maskOf
  }

  /** Values of this header, parameter or field are masked. */
  isSecret(name: string): boolean {
    const lower = name.toLowerCase()
    if (this.#more.has(lower) || NAMES.has(lower)) return true
    return WORDS.test(name) && !HARMLESS.test(name)
  }

  /** What is shown in place of a value that has no place of its own. */
  value(text: string): string {
    return this.#mask(text, '')
  }

  /** One value with a name. */
  named(name: string, value: string): string {
    return this.isSecret(name) ? this.#mask(value, name) : value
  }

  /** First line and header lines. */
  head(head: string): string {
    const [first = '', ...lines] = head.split('\r\n')
    const masked = lines.map(line => {
      const colon = line.indexOf(':')
      return colon > 0 && this.isSecret(line.slice(0, colon))
        ? `${line.slice(0, colon)}: ${this.#mask(line.slice(colon + 1).trim(), line.slice(0, colon))}`
        : line
    })
    return [this.target(first), ...masked].join('\r\n')
  }

  /** Parameters of a query, anywhere in a text with one request target. */
  target(text: string): string {
    return text.replace(/([?&])([^=&\s]+)=([^&\s]*)/g, (whole, before: string, name: string, value: string) =>
      this.isSecret(decoded(name)) ? `${before}${name}=${this.#mask(value, decoded(name))}` : whole
    )
  }

  /** Fields of JSON and forms; anything else stays as it is. A body that was cut is masked as far as it is there. */
  body(body: Buffer, contentType: string): Buffer {
    const text = body.toString('latin1')
    if (/^application\/x-www-form-urlencoded/i.test(contentType))
      return Buffer.from(this.target(`?${text}`).slice(1), 'latin1')
    if (!/json/i.test(contentType) && !/^\s*[[{]/.test(text)) return body
    try {
      const {value, isChanged} = this.#masked(JSON.parse(body.toString()))
      return isChanged ? Buffer.from(JSON.stringify(value)) : body
    } catch {
      return Buffer.from(this.#piece(text), 'latin1')
    }
  }

  /** Part of a JSON text, read in one pass: values that are no texts or numbers stay. */
  #piece(text: string): string {
    let masked = ''
    let done = 0
    for (let start = text.indexOf('"'); start >= 0;) {
      const end = stringEnd(text, start)
      const value = /^\s*:\s*/.exec(text.slice(end, end + MAX_BLANKS))
      if (value !== null && this.isSecret(text.slice(start + 1, end - 1))) {
        const from = end + value[0].length
        const to =
          text[from] === '"'
            ? stringEnd(text, from)
            : from + (/^[-+.\dEe]*/.exec(text.slice(from, from + 64))?.[0].length ?? 0)
        if (to > from)
          masked += `${text.slice(done, from)}"${this.#mask(text.slice(from, to).replaceAll('"', ''), text.slice(start + 1, end - 1))}"`
        if (to > from) done = to
        start = text.indexOf('"', Math.max(to, end))
      } else start = text.indexOf('"', end)
    }
    return masked + text.slice(done)
  }

  #masked(value: unknown): {readonly value: unknown; readonly isChanged: boolean} {
    if (typeof value !== 'object' || value === null) return {value, isChanged: false}
    let isChanged = false
    const each = (name: string, inner: unknown): unknown => {
      const isMasked = this.isSecret(name) && inner !== null
      const next = isMasked
        ? {value: this.#mask(typeof inner === 'string' ? inner : JSON.stringify(inner), name), isChanged: true}
        : this.#masked(inner)
      isChanged ||= next.isChanged
      return next.value
    }
    const changed = Array.isArray(value)
      ? value.map(inner => each('', inner))
      : Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, each(name, inner)]))
    return {value: changed, isChanged}
  }
}

/** Between a name and its value. */
const MAX_BLANKS = 64

/** Behind the string that begins here; the end of the text if it is cut. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return text.length
}

const lengthOnly: MaskOf = value => `<masked, ${value.length.toString()} characters>`

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
