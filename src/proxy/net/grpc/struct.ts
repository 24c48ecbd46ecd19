import {BinaryWriter, WireType} from '@bufbuild/protobuf/wire'

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
