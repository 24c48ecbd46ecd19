import {COMPRESSION_ERROR, ConnectionError, ENHANCE_YOUR_CALM} from './frames.ts'
import {BlockReader, textCopy, encodeField, encodeInteger, encodeRaw, FieldTexts, STATIC_FIELDS} from './field-text.ts'

/** Receives the fields of a block in order. */
export interface FieldSink {
  field(field: HeaderField): void
}

/** The current field of a walker, which is valid until the next field. */
export interface HeaderField {
  /** Name as the peer has sent it, possibly with capitals. */
  readonly name: string
  /** Encoded field, without references to the table of this connection. */
  readonly bytes: string
  /** Decodes and returns the value, as latin1 text. */
  value(): string
}

interface Entry {
  readonly name: string
  readonly value: string
  readonly bytes: string
}

const STATIC_COUNT = STATIC_FIELDS.length
/** Overhead of a field in the size of a table (RFC 7541 §4.1). */
export const FIELD_OVERHEAD = 32
/** Initial SETTINGS_HEADER_TABLE_SIZE (RFC 9113 §6.5.2). A peer may use a table of this size until it has read the setting of this side, 0. */
export const DEFAULT_TABLE = 4096
/** Maximum size of a block's decoded fields: a single byte can refer to a long field of the table, thousands of times. */
const MAX_LIST = 1 << 20

const texts = new FieldTexts()
const DISCARD: FieldSink = {field: () => undefined}

/**
 * Reads the header blocks that a peer sends on one connection (HPACK, RFC 7541). Splits blocks into fields without decoding values: each field
 * has bytes that another connection can send, and decodes its value on access. A peer may use its table until it has read the settings.
 */
export class FieldWalker implements HeaderField {
  name = ''
  bytes = ''
  /** Size of the last block's fields, as SETTINGS_MAX_HEADER_LIST_SIZE counts it. */
  listSize = 0
  /** Whether the last block did not use the peer's table, so that equal blocks have equal meaning. */
  isPlain = true
  readonly #reader = new BlockReader()
  #value: string | undefined
  #raw = ''
  #table: Entry[] = []
  #size = 0
  #maxSize = DEFAULT_TABLE

  walk(block: string, sink: FieldSink): void {
    const reader = this.#reader
    reader.block = block
    reader.at = 0
    this.listSize = 0
    this.isPlain = true
    while (reader.at < block.length) {
      const first = block.charCodeAt(reader.at)
      if ((first & 0xe0) === 0x20) this.#resize(reader.integer(5))
      else {
        if ((first & 0x80) !== 0) this.#readIndexed()
        else this.#readLiteral((first & 0x40) !== 0)
        if (this.listSize > MAX_LIST) throw new ConnectionError(ENHANCE_YOUR_CALM, 'fields without end')
        sink.field(this)
      }
    }
    reader.block = ''
  }

  /** Reads a block and discards its fields, since it may change the peer's table (RFC 7541 §2.2). */
  skip(block: string): void {
    this.walk(block, DISCARD)
  }

  value(): string {
    return (this.#value ??= texts.decode(this.#raw))
  }

  #readIndexed(): void {
    const reader = this.#reader
    const from = reader.at
    const index = reader.integer(7)
    const known = STATIC_FIELDS[index - 1]
    if (known === undefined) {
      const entry = this.#entry(index)
      this.name = entry.name
      this.#value = entry.value
      this.bytes = entry.bytes
    } else {
      this.name = known[0]
      this.#value = known[1]
      this.bytes = reader.block.slice(from, reader.at)
    }
    this.listSize += this.name.length + this.#value.length + FIELD_OVERHEAD
  }

  #readLiteral(isAdded: boolean): void {
    const reader = this.#reader
    const from = reader.at
    const index = reader.integer(isAdded ? 6 : 4)
    const isStatic = index <= STATIC_COUNT
    const name =
      index === 0 ? texts.decode(reader.string()) : (STATIC_FIELDS[index - 1]?.[0] ?? this.#entry(index).name)
    const raw = reader.string()
    this.name = name
    this.#raw = raw
    this.#value = undefined
    if (!isAdded && isStatic) this.bytes = reader.block.slice(from, reader.at)
    else this.bytes = index > 0 && isStatic ? encodeInteger(index, 4, 0) + raw : encodeRaw(name, raw)
    this.listSize += name.length + raw.length + FIELD_OVERHEAD
    if (isAdded) this.#add()
  }

  #entry(index: number): Entry {
    this.isPlain = false
    const entry = this.#table[index - STATIC_COUNT - 1]
    if (entry === undefined) throw new ConnectionError(COMPRESSION_ERROR, 'a field that is in no table')
    return entry
  }

  #add(): void {
    this.isPlain = false
    const {name} = this
    const value = this.value()
    const size = name.length + value.length + FIELD_OVERHEAD
    if (size > this.#maxSize) {
      this.#table = []
      this.#size = 0
      return
    }
    this.#table.unshift({name: textCopy(name), value: textCopy(value), bytes: encodeField(name, value)})
    this.#size += size
    this.#evict()
  }

  #resize(size: number): void {
    this.isPlain = false
    if (size > DEFAULT_TABLE) throw new ConnectionError(COMPRESSION_ERROR, 'a table that is larger than allowed')
    this.#maxSize = size
    this.#evict()
  }

  #evict(): void {
    while (this.#size > this.#maxSize) {
      const entry = this.#table.pop()
      if (entry === undefined) return
      this.#size -= entry.name.length + entry.value.length + FIELD_OVERHEAD
    }
  }
}
