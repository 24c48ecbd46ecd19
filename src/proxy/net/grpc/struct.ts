import {BinaryReader, BinaryWriter, WireType} from '@bufbuild/protobuf/wire'

// google/protobuf/struct.proto

const NULL = 1
const NUMBER = 2
const TEXT = 3
const BOOL = 4
const STRUCT = 5
const LIST = 6

/** An object of JSON as a `google.protobuf.Struct`; fields whose value is undefined are left out. */
export function structOf(object: Readonly<Record<string, unknown>>): Uint8Array {
  const writer = new BinaryWriter()
  writeFields(writer, object)
  return writer.finish()
}

function writeFields(writer: BinaryWriter, object: object): void {
  for (const [key, value] of Object.entries(object) as [string, unknown][]) {
    if (value === undefined) continue
    writer.tag(1, WireType.LengthDelimited).fork()
    writer.tag(1, WireType.LengthDelimited).string(key)
    writer.tag(2, WireType.LengthDelimited).fork()
    writeValue(writer, value)
    writer.join().join()
  }
}

function writeValue(writer: BinaryWriter, value: unknown): void {
  if (typeof value === 'string') writer.tag(TEXT, WireType.LengthDelimited).string(value.toWellFormed())
  else if (typeof value === 'number') writer.tag(NUMBER, WireType.Bit64).double(value)
  else if (typeof value === 'boolean') writer.tag(BOOL, WireType.Varint).bool(value)
  else if (Array.isArray(value)) {
    writer.tag(LIST, WireType.LengthDelimited).fork()
    for (const each of value as readonly unknown[]) {
      writer.tag(1, WireType.LengthDelimited).fork()
      writeValue(writer, each)
      writer.join()
    }
    writer.join()
  } else if (typeof value === 'object' && value !== null) {
    writer.tag(STRUCT, WireType.LengthDelimited).fork()
    writeFields(writer, value)
    writer.join()
  } else writer.tag(NULL, WireType.Varint).int32(0)
}

/** A value of JSON as a `google.protobuf.Value`. */
export function valueBytes(value: unknown): Uint8Array {
  const writer = new BinaryWriter()
  writeValue(writer, value)
  return writer.finish()
}

/** The JSON of a `google.protobuf.Struct`. Throws if the bytes are none. */
export function structIn(bytes: Uint8Array): Record<string, unknown> {
  const reader = new BinaryReader(bytes)
  const entries: (readonly [string, unknown])[] = []
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    if (number === 1) entries.push(entryIn(reader.bytes()))
    else reader.skip(type, number)
  }
  return Object.fromEntries(entries) // an assignment would take `__proto__` for the prototype
}

function entryIn(bytes: Uint8Array): readonly [key: string, value: unknown] {
  const reader = new BinaryReader(bytes)
  let key = ''
  let value: unknown = null
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    if (number === 1) key = reader.string()
    else if (number === 2) value = valueIn(reader.bytes())
    else reader.skip(type, number)
  }
  return [key, value]
}

/** The JSON of a `google.protobuf.Value`. Throws if the bytes are none. */
export function valueIn(bytes: Uint8Array): unknown {
  const reader = new BinaryReader(bytes)
  let value: unknown = null
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    if (number === NULL) value = reader.int32() && null
    else if (number === NUMBER) value = reader.double()
    else if (number === TEXT) value = reader.string()
    else if (number === BOOL) value = reader.bool()
    else if (number === STRUCT) value = structIn(reader.bytes())
    else if (number === LIST) value = listIn(reader.bytes())
    else reader.skip(type, number)
  }
  return value
}

function listIn(bytes: Uint8Array): readonly unknown[] {
  const reader = new BinaryReader(bytes)
  const found: unknown[] = []
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    if (number === 1) found.push(valueIn(reader.bytes()))
    else reader.skip(type, number)
  }
  return found
}
