import {BinaryWriter, WireType} from '@bufbuild/protobuf/wire'
import {eachField} from './invoke-messages.ts'

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
  // an assignment would take `__proto__` for the prototype
  return Object.fromEntries(itemsIn(bytes, entryIn))
}

function entryIn(bytes: Uint8Array): readonly [key: string, value: unknown] {
  let key = ''
  let value: unknown = null
  eachField(bytes, (field, reader) => {
    if (field === 1) key = reader.string()
    else if (field === 2) value = valueIn(reader.bytes())
    else return false
    return true
  })
  return [key, value]
}

/** The JSON of a `google.protobuf.Value`. Throws if the bytes are none. */
export function valueIn(bytes: Uint8Array): unknown {
  let value: unknown = null
  eachField(bytes, (field, reader) => {
    if (field === NULL) {
      reader.int32()
      value = null
    } else if (field === NUMBER) value = reader.double()
    else if (field === TEXT) value = reader.string()
    else if (field === BOOL) value = reader.bool()
    else if (field === STRUCT) value = structIn(reader.bytes())
    else if (field === LIST) value = itemsIn(reader.bytes(), valueIn)
    else return false
    return true
  })
  return value
}

/** What a message repeats as its first field. */
function itemsIn<T>(bytes: Uint8Array, read: (item: Uint8Array) => T): T[] {
  const items: T[] = []
  eachField(bytes, (field, reader) => field === 1 && items.push(read(reader.bytes())) > 0)
  return items
}
