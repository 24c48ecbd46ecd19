import {encodeField, encodeInteger} from './field-text.ts'
import {DEFAULT_TABLE, FIELD_OVERHEAD, FieldWalker, type HeaderField, type FieldSink} from './field-walker.ts'

/** The first place of the table, behind the static one. */
const FIRST_PLACE = 62
/** Maximum number of remembered blocks per connection. Further ones are sent in full. */
const MAX_BLOCKS = 32

/** Begins a block: from now on the table has no room (RFC 7541 §6.3). */
const NO_TABLE = '\u0020'
const INDEXED = 0x80
const ADDED = '\u0040'
/** A field that no table may keep (RFC 7541 §6.2.3). */
const isSecret = (first: number): boolean => (first & 0xf0) === 0x10

interface SentBlock {
  readonly text: string
  /** Entries of the table for which the text is right; -1: it has added some, and must not be sent again. */
  readonly entries: number
}

/**
 * The peer's table of our fields (RFC 7541 §2.3). Repeated fields are sent as references to it, which saves an app in Go a tenth of a
 * call's work. The table is filled once and keeps its entries.
 */
export class SentFields implements FieldSink {
  #hasTable = true
  #update = ''
  #bytes = 0
  #entries = 0
  /** The number of fields that had been added with each field of the table. */
  readonly #places = new Map<string, number>()
  readonly #blocks = new Map<string, SentBlock>()
  #text = ''

  /** Applies the table size that the peer has announced: a table smaller than the default is not used. */
  limit(bytes: number): void {
    if (bytes >= DEFAULT_TABLE || !this.#hasTable) return
    this.#hasTable = false
    this.#update = NO_TABLE
    this.#places.clear()
    this.#blocks.clear()
  }

  /** Encodes a block of fields; `repeated`: its first fields, if they are likely to be sent again. */
  encode(repeated: string, fields: string): string {
    if (this.#hasTable) return repeated === '' ? fields : this.#encode(repeated) + fields
    const text = this.#update + repeated + fields
    this.#update = ''
    return text
  }

  field(field: HeaderField): void {
    const {name, bytes} = field
    const first = bytes.charCodeAt(0)
    if ((first & INDEXED) !== 0 || isSecret(first)) {
      this.#text += bytes
      return
    }
    const value = field.value()
    const literal = encodeField(name, value)
    const place = this.#places.get(literal)
    if (place !== undefined) {
      this.#text += encodeInteger(FIRST_PLACE + this.#entries - place, 7, INDEXED)
      return
    }
    const size = name.length + value.length + FIELD_OVERHEAD
    if (this.#bytes + size > DEFAULT_TABLE) {
      this.#text += bytes
      return
    }
    this.#bytes += size
    this.#places.set(literal, ++this.#entries)
    this.#text += ADDED + literal.slice(1)
  }

  #encode(block: string): string {
    const known = this.#blocks.get(block)
    if (known?.entries === this.#entries) return known.text
    if (known === undefined && this.#blocks.size >= MAX_BLOCKS) return block
    const before = this.#entries
    this.#text = ''
    new FieldWalker().walk(block, this)
    const text = this.#text
    this.#blocks.set(block, {text, entries: this.#entries === before ? before : -1})
    return text
  }
}
