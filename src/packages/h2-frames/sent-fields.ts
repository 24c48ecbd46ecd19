import {encodeField, encodeInteger} from './field-text.ts'
import {DEFAULT_TABLE, FIELD_OVERHEAD, FieldWalker, type HeaderField, type FieldSink} from './field-walker.ts'

/** Index of the first entry of the dynamic table, which follows the static table. */
const FIRST_PLACE = 62
/** Maximum number of cached blocks per connection. Further ones are sent in full. */
const MAX_BLOCKS = 32

/** Start of a block that sets the size of the table to 0 (RFC 7541 §6.3). */
const NO_TABLE = '\u0020'
const INDEXED = 0x80
const ADDED = '\u0040'
/** Whether a field must not be added to a table (RFC 7541 §6.2.3). `first`: its first byte. */
const isSecret = (first: number): boolean => (first & 0xf0) === 0x10

interface SentBlock {
  readonly text: string
  /** Number of table entries for which the text is valid; -1: the text adds entries, so that it must not be sent again. */
  readonly entries: number
}

/**
 * Encodes sent fields with the peer's dynamic table (RFC 7541 §2.3): repeated fields are references to it, which saves an app in Go a tenth of
 * the work for a call. The table is filled once and keeps its entries.
 */
export class SentFields implements FieldSink {
  #hasTable = true
  #update = ''
  #bytes = 0
  #entries = 0
  /** Number of entries when each field was added, by the field, from which its index follows. */
  readonly #places = new Map<string, number>()
  readonly #blocks = new Map<string, SentBlock>()
  #text = ''

  /** Applies the table size that the peer allows. Does not use a table that is smaller than the default. */
  limit(bytes: number): void {
    if (bytes >= DEFAULT_TABLE || !this.#hasTable) return
    this.#hasTable = false
    this.#update = NO_TABLE
    this.#places.clear()
    this.#blocks.clear()
  }

  /** Encodes a header block. `repeated`: first fields, which later blocks probably repeat; '': none. */
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
