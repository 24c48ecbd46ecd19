import {exactText, parseExactly} from '../../../model/exact-json.ts'
import {
  PAIRS,
  FORM,
  BLOCK,
  PASSWORD,
  CUT_PASSWORD,
  MAY_HOLD,
  FIELD,
  NAMED,
  HEADER,
  HEADER_LINE,
  NAMED_HEADER,
  PAIR_VALUE,
  QUOTES,
  ADDRESS,
  endOfName,
  isSecretName
} from './secret-patterns.ts'
import {orElse, uriDecoded} from '../../../model/or-else.ts'

/** Fields that `json` does not mask: bodies and lines are masked already, and clients send ids and names back. */
const UNMASKED_FIELDS = new Set(['body', 'line', 'coloured', 'id', 'name'])

type MaskOf = (value: string, name: string) => string

/** Replaces secrets in recorded requests and responses. A mask shows only the length of a value. */
export class Masking {
  readonly #extraNames: ReadonlySet<string>
  readonly #maskOf: MaskOf
  /** The beginning of every mask, by which values that are masked already are known. */
  readonly #maskBegin: string

  /** `extraNames`: names whose values are secret besides the usual ones, in any case. */
  constructor(extraNames: readonly string[] = [], maskOf: MaskOf = value => `<masked, ${value.length} characters>`) {
    this.#extraNames = new Set(extraNames.map(name => name.toLowerCase()))
    this.#maskOf = maskOf
    this.#maskBegin = maskOf('', '').slice(0, 7)
  }

  /** Whether a header, parameter or field with this name and value is secret. */
  isSecret(name: string, value: string): boolean {
    return this.#extraNames.has(name.toLowerCase()) || isSecretName(name, value)
  }

  value = (text: string): string => this.#masked(text, '')

  /** Masks a value unless it is masked already. */
  #masked(value: string, name: string): string {
    return value.startsWith(this.#maskBegin) ? value : this.#maskOf(value, name)
  }

  /** Returns a value with a name, masked if it is secret. */
  named(name: string, value: string): string {
    return this.isSecret(name, value) ? this.#masked(value, name) : this.text(value)
  }

  /** Whether a word of a command is secret: the value of the flag before it, or a header with a secret value. */
  isArgument(flag: string, word: string): boolean {
    const [, name = '', value = ''] = NAMED_HEADER.exec(word) ?? []
    if (/^(?:-H|--header)$/.test(flag)) return this.isSecret(name, value) && this.#masked(value, name) !== value
    return /^--?[\w-]+$/.test(flag) && !word.startsWith('-') && this.isSecret(flag, word)
  }

  command(words: readonly string[]): readonly string[] {
    return words.map((word, at) => (this.isArgument(words[at - 1] ?? '', word) ? this.value(word) : this.text(word)))
  }

  /** Writes JSON for display and masks secrets in all texts, except for fields of these names. */
  json(value: unknown): string {
    return JSON.stringify(value, (key, each: unknown) =>
      typeof each === 'string' && !UNMASKED_FIELDS.has(key) ? this.text(each) : each
    )
  }

  /** Masks secrets in a text of any kind: JSON or words. `depth`: number of encoded texts or values that enclose this one. */
  text(text: string, depth = 0): string {
    if (!MAY_HOLD.test(text)) return text
    return (BLOCK.test(text) ? this.#ofJson(text, depth) : undefined) ?? this.words(text, depth)
  }

  /** Masks JSON. Returns undefined for other texts, and for JSON that is nested too deep for the stack. */
  #ofJson(text: string, depth = 0): string | undefined {
    return orElse(() => {
      const {value, isChanged} = this.#parsed(parseExactly(text), depth)
      return isChanged ? exactText(value) : text
    }, undefined)
  }

  /** Masks secrets in a text that is not JSON: in addresses, in pairs (`password='a b'`, `--token abc`), and in fields of JSON. */
  words(text: string, depth = 0): string {
    const shown = (all: string, start: string, _: string, name: string, value: string): string =>
      this.isSecret(name, value) ? start + this.#masked(value, name) : all
    const masked = this.#valuesIn(this.#headers(text.replace(HEADER, shown)), NAMED)
    return masked.replaceAll(/[^"]+/g, part => this.target(part, depth))
  }

  #headers(text: string): string {
    return text.replace(HEADER_LINE, (all: string, start: string, mark: string, name: string, value: string) => {
      const isHeader = mark !== '' || this.#extraNames.has(name.toLowerCase()) || this.isSecret(endOfName(name), value)
      return isHeader && this.isSecret(name, value) ? start + this.#masked(value, name) : all
    })
  }

  /** Masks the values behind the names that a pattern finds. */
  #valuesIn(text: string, names: RegExp): string {
    let [masked, done] = ['', 0]
    for (const {index, 0: start, 1: quote, 2: field, 3: entry, 4: pair, 5: flag} of text.matchAll(names)) {
      const name = field ?? entry ?? pair ?? flag ?? 'authorization'
      if (index < done || !this.isSecret(name, '*')) continue
      const from = index + start.length
      const value = quote === undefined ? valueAt(text, from) : fieldAt(text, from, quote)
      const bare = value.replaceAll(QUOTES, '')
      if (bare === '' || !this.isSecret(name, bare)) continue
      masked += text.slice(done, from) + (quote ?? '') + this.#masked(bare, name) + (quote ?? '')
      done = from + value.length
    }
    return masked + text.slice(done)
  }

  /** Masks the head of a request or response: its first line and its headers. A value may span several lines (RFC 9112, 5.2). */
  head(head: string): string {
    const [first = '', ...lines] = head.split(/\r?\n(?![\t ])/)
    const masked = lines.map(line => {
      const [, name = '', value = ''] = /^([^:]+):(.*)$/s.exec(line)?.map(each => each.trim()) ?? []
      if (name === '') return line
      return this.isSecret(name, value) ? `${name}: ${this.#masked(value, name)}` : this.words(this.target(line))
    })
    return [this.target(first), ...masked].join('\r\n')
  }

  /**
   * Masks parameters of queries, fragments and path segments (`;jsessionid=`), and passwords before a host: in a request target, or a
   * header with addresses, such as `Location`. A value that is an encoded address or JSON is masked as a whole if it contains a secret.
   */
  target(text: string, depth = 0): string {
    if (!/[?&#;@]|%40/.test(text)) return text // fast path of most headers
    let [masked, done] = ['', 0]
    for (const {index, 0: start, 1: before, 2: name = ''} of text.matchAll(/([?&#;])([^=?&#;\s]+)=/g)) {
      if (index < done) continue
      const from = index + start.length
      // ends where another parameter may begin, so that no byte is scanned twice
      const value = text.slice(from, endOf(text, from, /[?&#;\s]/g))
      if (!this.isSecret(uriDecoded(name), uriDecoded(value)) && !this.#hasSecret(value, depth)) continue
      const to = endOf(text, from, before === ';' ? /[?&#;/\s]/g : /[&\s]/g)
      masked += `${text.slice(done, from)}${this.#masked(text.slice(from, to), uriDecoded(name))}`
      done = to
    }
    return (masked + text.slice(done)).replace(PASSWORD, password => this.#masked(password, 'password'))
  }

  /** Whether the value of a parameter is an encoded address, or JSON, with a secret. */
  #hasSecret(value: string, depth: number): boolean {
    if (depth >= MAX_NESTED || !/[%[{]/.test(value)) return false
    const decoded = uriDecoded(value)
    if (decoded !== value && this.#hasSecret(decoded, depth + 1)) return true
    return (BLOCK.test(decoded) ? this.text(decoded, depth + 1) : this.target(decoded, depth + 1)) !== decoded
  }

  /** Masks fields of JSON, whatever the content type says, or of a form. Other bodies stay. Also masks a body whose end was not recorded. */
  body(body: Buffer, contentType: string): Buffer {
    const text = body.toString('latin1')
    const isForm = FORM.test(contentType) && !BLOCK.test(text)
    if (!hasFields(text, contentType)) return body
    const read = body.toString()
    const complete = isForm ? undefined : this.#ofJson(read)
    if (complete !== undefined) return complete === read ? body : Buffer.from(complete)
    const isCutJson = !isForm && text.includes('"')
    return Buffer.from(isCutJson ? this.#cutJson(text) : this.target(`?${this.#form(text)}`).slice(1), 'latin1')
  }

  /** Masks fields of a form. Values end at the next `&`, as not every client escapes other characters. */
  #form(text: string): string {
    return text.replaceAll(/(?<![^&])([^&=]+)=([^&]*)/g, (field, name: string, value: string) => {
      const plain = uriDecoded(value.replace(/%.?$/, ''))
      const isSecret = this.isSecret(uriDecoded(name), plain) || CUT_PASSWORD.test(plain) || this.#hasSecret(value, 0)
      return isSecret ? `${name}=${this.#masked(value, uriDecoded(name))}` : field
    })
  }

  /** Masks fields of JSON that cannot be parsed, since its end is missing. Booleans stay. */
  #cutJson(text: string): string {
    const whole = text.replace(CUT_PASSWORD, password => this.#masked(password, 'password'))
    const parts = whole.replaceAll(/[^"]+/g, part => {
      // many writers put a backslash before a slash, and Go and .NET before `&`
      const bare = part.replaceAll(String.raw`\/`, '/').replaceAll(String.raw`\u0026`, '&')
      return ADDRESS.test(bare) && this.target(bare) !== bare ? this.target(bare) : part
    })
    return this.#valuesIn(parts, FIELD)
  }

  /** Masks a parsed value of JSON: its text, or its fields by their names. */
  #parsed(value: unknown, depth = 0): {readonly value: unknown; readonly isChanged: boolean} {
    if (typeof value === 'string') {
      const isText = BLOCK.test(value) || PAIRS.test(value) || value.search(HEADER_LINE) !== -1
      const text = ADDRESS.test(value) ? this.target(value, depth) : isText ? this.text(value, depth) : value
      return {value: text, isChanged: text !== value}
    }
    if (typeof value !== 'object' || value === null) return {value, isChanged: false}
    const setting = settingOf(value)
    let isChanged = false
    const each = (name: string, inner: unknown): unknown => {
      const scalar = typeof inner === 'string' ? inner : typeof inner === 'object' ? '' : exactText(inner)
      const isName = inner === setting && /^(?:name|key)$/i.test(name)
      const own = isName ? '' : (/^value$/i.test(name) && typeof inner === 'string' && setting) || name
      const isSecret = this.isSecret(own, scalar) || this.#extraNames.has(name.toLowerCase())
      const isMasked = isSecret && inner !== null && typeof inner !== 'boolean'
      const next = isMasked
        ? {value: this.#masked(scalar || exactText(inner), name), isChanged: true}
        : this.#parsed(inner, depth)
      isChanged ||= next.isChanged
      return next.value
    }
    const changed = Array.isArray(value)
      ? value.map(inner => each('', inner))
      : Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, each(name, inner)]))
    return {value: changed, isChanged}
  }
}

/** Returns the name in an entry such as `{"name": "password", "value": "x"}` or `{"Key": "password", "Value": "x"}`, or an empty string. */
function settingOf(entry: object): string {
  const {name, Name, value, Value = value, Key, key = Key} = entry as Readonly<Record<string, unknown>>
  const called = name ?? Name ?? (Value === undefined ? undefined : key)
  return typeof called === 'string' && /^[\w.:-]+$/.test(called) ? called : ''
}

/** Whether `Masking` finds secrets in such a body: it has fields with names. */
export const hasFields = (text: string, contentType: string): boolean =>
  FORM.test(contentType) || /json/i.test(contentType) || BLOCK.test(text)

/** Returns the index after the JSON object or list at `start`: the end of the text if its end is missing, `start` for other values. */
function blockEnd(text: string, start: number): number {
  if (!BLOCK.test(text[start] ?? '')) return start
  let depth = 0
  for (const {index, 0: sign} of text.slice(start).matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"?|[[\]{}]/gs)) {
    depth += '[{'.includes(sign) ? 1 : ']}'.includes(sign) ? -1 : 0
    if (depth === 0) return start + index + 1
  }
  return text.length
}

const valueAt = (text: string, from: number): string => foundFrom(text, from, PAIR_VALUE)?.[0] ?? ''

/** Returns the text, number, object or list at an index, even if its end is missing. `quote`: the quote of texts, maybe escaped. */
function fieldAt(text: string, from: number, quote: string): string {
  if (!text.startsWith(quote, from))
    return /^[-+.\dEe]+/.exec(text.slice(from, from + 64))?.[0] || text.slice(from, blockEnd(text, from))
  let end = text.indexOf(quote, from + quote.length)
  while (end >= 0 && text[end - 1] === '\\') end = text.indexOf(quote, end + 1)
  return text.slice(from, end < 0 ? undefined : end + quote.length).split('\n', 1)[0] ?? ''
}

/** How deep addresses and JSON within parameters are searched. Each level may double the work: a value is searched as it is, and decoded. */
const MAX_NESTED = 3

/** Returns the index of the first of these characters from an index on, or the end of the text. */
const endOf = (text: string, from: number, stop: RegExp): number => foundFrom(text, from, stop)?.index ?? text.length

function foundFrom(text: string, from: number, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = from
  return pattern.exec(text)
}
