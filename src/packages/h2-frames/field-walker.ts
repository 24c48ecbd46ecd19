import {COMPRESSION_ERROR, ConnectionError, ENHANCE_YOUR_CALM} from './frames.ts'
import {BlockReader, textCopy, encodeField, encodeInteger, encodeRaw, FieldTexts, STATIC_FIELDS} from './field-text.ts'

/** Receives the fields of a block in order. */
export interface FieldSink {
  field(field: HeaderField): void
}

/** The current field of a walker, valid until the next one. */
export interface HeaderField {
  /** The name as sent, possibly with capitals. */
  readonly name: string
  /** The field in bytes that any other connection understands. */
  readonly bytes: string
  /** Latin1; decoded on access. */
  value(): string
}

interface Entry {
  readonly name: string
  readonly value: string
  readonly bytes: string
}

const STATIC_COUNT = STATIC_FIELDS.length
/** Overhead of a field in the size of a header list (RFC 7541 §4.1). */
export const FIELD_OVERHEAD = 32
/** SETTINGS_HEADER_TABLE_SIZE of a peer without that setting (RFC 9113 §6.5.2): of a peer until it has seen ours, which is 0. */
export const DEFAULT_TABLE = 4096
/** Maximum size of a block's list: one byte may refer to a long field of the table, thousands of times. */
const MAX_LIST = 1 << 20

const texts = new FieldTexts()
const DISCARD: FieldSink = {field: () => undefined}

/**
 * Walks the field blocks of one connection (RFC 7541). Cuts blocks without decoding them: each field has bytes that mean the
 * same on any connection; names and values are decoded on access. A peer may use its table until it has read our settings.
 */
export class FieldWalker implements HeaderField {
  name = ''
  bytes = ''
  /** Size of the last block, texts and overhead, as SETTINGS_MAX_HEADER_LIST_SIZE counts it. */
  listSize = 0
  /** Whether the last block used no table: equal blocks then have equal meaning. */
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

  /** Reads a block whose fields are discarded: it may change the peer's table (RFC 7541 §2.2). */
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
