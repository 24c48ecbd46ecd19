import {messageOf} from '../../../model/errors.ts'
import {BinaryReader, BinaryWriter, WireType} from '@bufbuild/protobuf/wire'

/*
 * Protocol Buffers messages (proto3), described by a table of their fields. Those of Dapr's API are compiled from its .proto
 * files by `scripts/build-proto.js`.
 */

/**
 * `map`: map<string, string>. A message, a list of messages, and a map from strings to messages name their schema. Numbers of
 * 64 bits are bigints. `chunks`: repeated bytes, or repeated messages that are passed on as they are.
 */
export type FieldType =
  | 'string'
  | 'bytes'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'fixed32'
  | 'fixed64'
  | 'float'
  | 'double'
  | 'bool'
  | 'strings'
  | 'chunks'
  | 'map'
  | {readonly message: Schema}
  | {readonly list: Schema}
  | {readonly mapOf: Schema}

/** The fields of a message: number and type. `optional`: one that is absent is undefined, and an empty one is written. */
export interface Schema {
  readonly [name: string]: readonly [number: number, type: FieldType, presence?: 'optional']
}

type Value<T> = T extends 'string'
  ? string
  : T extends 'bytes'
    ? Uint8Array
    : T extends 'int32' | 'uint32' | 'fixed32' | 'float' | 'double'
      ? number
      : T extends 'int64' | 'uint64' | 'fixed64'
        ? bigint
        : T extends 'bool'
          ? boolean
          : T extends 'strings'
            ? readonly string[]
            : T extends 'chunks'
              ? readonly Uint8Array[]
              : T extends 'map'
                ? Readonly<Record<string, string>>
                : T extends {readonly message: infer S extends Schema}
                  ? Message<S> | undefined
                  : T extends {readonly list: infer S extends Schema}
                    ? readonly Message<S>[]
                    : T extends {readonly mapOf: infer S extends Schema}
                      ? Readonly<Record<string, Message<S>>>
                      : never

/** What a message of a schema says. Absent fields have the value that proto3 gives them. */
export type Message<S extends Schema> = {
  readonly [K in keyof S]: Value<S[K][1]> | (S[K][2] extends 'optional' ? undefined : never)
}

const NOTHING = new Uint8Array(0)
/** Shared and read-only: most lists and maps of messages are empty. */
const NO_LIST: readonly never[] = Object.freeze([])
const NO_MAP = Object.freeze({})
const ENTRY = {key: [1, 'string'], value: [2, 'string']} as const

const EMPTY: ReadonlyMap<FieldType, unknown> = new Map<FieldType, unknown>([
  ['string', ''],
  ['bytes', NOTHING],
  ...(['int32', 'uint32', 'fixed32', 'float', 'double'] as const).map(type => [type, 0] as const),
  ...(['int64', 'uint64', 'fixed64'] as const).map(type => [type, 0n] as const),
  ['bool', false],
  ['strings', NO_LIST],
  ['chunks', NO_LIST],
  ['map', NO_MAP]
])

const emptyOf = (type: FieldType): unknown => {
  if (typeof type === 'string') return EMPTY.get(type)
  return 'message' in type ? undefined : 'list' in type ? NO_LIST : NO_MAP
}

interface Field {
  readonly name: string
  readonly number: number
  readonly type: FieldType
  readonly empty: unknown
  readonly isOptional: boolean
}

/** A schema as messages are read and written by it. */
interface Layout {
  readonly fields: readonly Field[]
  readonly byNumber: ReadonlyMap<number, Field>
}

const LAYOUTS = new WeakMap<Schema, Layout>()

/** Made once for each schema. */
function layoutOf(schema: Schema): Layout {
  const known = LAYOUTS.get(schema)
  if (known !== undefined) return known
  const fields = Object.entries(schema).map(([name, [number, type, presence]]): Field => {
    const isOptional = presence === 'optional'
    return {name, number, type, empty: isOptional ? undefined : emptyOf(type), isOptional}
  })
  const layout = {fields, byNumber: new Map(fields.map(field => [field.number, field]))}
  LAYOUTS.set(schema, layout)
  return layout
}

const ENTRIES = new WeakMap<Schema, Schema>()

/** An entry of a map to messages. */
function entryOf(schema: Schema): {
  readonly key: readonly [1, 'string']
  readonly value: readonly [2, {message: Schema}]
} {
  type Entry = ReturnType<typeof entryOf>
  const known = ENTRIES.get(schema) as Entry | undefined
  if (known !== undefined) return known
  const entry: Entry = {key: [1, 'string'], value: [2, {message: schema}]}
  ENTRIES.set(schema, entry)
  return entry
}

/** Bytes that are no message. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

/** Decodes a message; unknown fields are skipped. Throws a DecodeError if it is invalid. */
export function decode<S extends Schema>(schema: S, bytes: Uint8Array): Message<S> {
  try {
    return read(schema, bytes)
  } catch (error) {
    throw new DecodeError(messageOf(error), {cause: error})
  }
}

function read<S extends Schema>(schema: S, bytes: Uint8Array): Message<S> {
  const {fields, byNumber} = layoutOf(schema)
  // oxlint-disable pillion/user-words -- the names are those of our schema
  const message: Record<string, unknown> = {}
  for (const {name, empty} of fields) message[name] = empty
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag()
    const field = byNumber.get(number)
    if (field === undefined) reader.skip(wireType, number)
    else message[field.name] = readField(reader, field.type, message[field.name])
  }
  // oxlint-enable pillion/user-words
  return message as Message<S>
}

function readField(reader: BinaryReader, type: FieldType, before: unknown): unknown {
  switch (type) {
    case 'string':
      return reader.string()
    case 'bytes':
      return reader.bytes()
    case 'int32':
      return reader.int32()
    case 'uint32':
      return reader.uint32()
    case 'int64':
      return BigInt(reader.int64())
    case 'uint64':
      return BigInt(reader.uint64())
    case 'fixed32':
      return reader.fixed32()
    case 'fixed64':
      return BigInt(reader.fixed64())
    case 'float':
      return reader.float()
    case 'double':
      return reader.double()
    case 'bool':
      return reader.bool()
    case 'strings':
      return withItem(before, reader.string())
    case 'chunks':
      return withItem(before, reader.bytes())
    case 'map': {
      const {key, value} = read(ENTRY, reader.bytes())
      return withEntry(before, key, value)
    }
    default: {
      if ('message' in type) return read(type.message, reader.bytes())
      if ('list' in type) return withItem(before, read(type.list, reader.bytes()))
      const {key, value} = read(entryOf(type.mapOf), reader.bytes())
      return withEntry(before, key, value ?? read(type.mapOf, NOTHING))
    }
  }
}

/** Adds to the list of the message that is being read. */
function withItem(list: unknown, item: unknown): readonly unknown[] {
  if (list === NO_LIST) return [item]
  const items = list as unknown[]
  items.push(item)
  return items
}

/** Adds to a map that is being read. */
export function withEntry(map: unknown, key: string, value: unknown): object {
  // an assignment would take `__proto__` for the prototype
  const entry = {value, enumerable: true, writable: true, configurable: true}
  return Object.defineProperty(map === NO_MAP ? {} : (map as object), key, entry)
}

/** One for all: its memory is used again. */
let shared = new BinaryWriter()
/** Memory of a longer message is given back. */
const MAX_KEPT_BYTES = 64 * 1024

/** Writes a message; fields that are left out, or are as proto3 has them anyway, take no bytes. */
export function encode<S extends Schema>(schema: S, message: Partial<Message<S>>): Uint8Array {
  const writer = shared
  try {
    writeMessage(writer, schema, message)
    const bytes = writer.finish()
    if (bytes.length > MAX_KEPT_BYTES) shared = new BinaryWriter()
    return bytes
  } catch (error) {
    shared = new BinaryWriter() // what it holds is half a message
    throw error
  }
}

function writeMessage(writer: BinaryWriter, schema: Schema, message: Readonly<Record<string, unknown>>): void {
  for (const field of layoutOf(schema).fields) {
    const value = message[field.name]
    if (value !== undefined) writeField(writer, field, value)
  }
}

function writeWithin(writer: BinaryWriter, number: number, schema: Schema, message: unknown): void {
  writer.tag(number, WireType.LengthDelimited).fork()
  writeMessage(writer, schema, message as Readonly<Record<string, unknown>>)
  writer.join()
}

function writeField(writer: BinaryWriter, {number, type, isOptional}: Field, value: unknown): void {
  switch (type) {
    case 'string':
      if (value !== '' || isOptional) writer.tag(number, WireType.LengthDelimited).string(value as string)
      return
    case 'bytes':
      if ((value as Uint8Array).length > 0 || isOptional)
        writer.tag(number, WireType.LengthDelimited).bytes(value as Uint8Array)
      return
    case 'int32':
      if (value !== 0 || isOptional) writer.tag(number, WireType.Varint).int32(value as number)
      return
    case 'uint32':
      if (value !== 0 || isOptional) writer.tag(number, WireType.Varint).uint32(value as number)
      return
    case 'int64':
      if (value !== 0n || isOptional) writer.tag(number, WireType.Varint).int64(value as bigint)
      return
    case 'uint64':
      if (value !== 0n || isOptional) writer.tag(number, WireType.Varint).uint64(value as bigint)
      return
    case 'fixed32':
      if (value !== 0 || isOptional) writer.tag(number, WireType.Bit32).fixed32(value as number)
      return
    case 'fixed64':
      if (value !== 0n || isOptional) writer.tag(number, WireType.Bit64).fixed64(value as bigint)
      return
    case 'float':
      if (value !== 0 || isOptional) writer.tag(number, WireType.Bit32).float(value as number)
      return
    case 'double':
      if (value !== 0 || isOptional) writer.tag(number, WireType.Bit64).double(value as number)
      return
    case 'bool':
      if (value === true || isOptional) writer.tag(number, WireType.Varint).bool(value as boolean)
      return
    case 'strings':
      for (const each of value as readonly string[]) writer.tag(number, WireType.LengthDelimited).string(each)
      return
    case 'chunks':
      for (const each of value as readonly Uint8Array[]) writer.tag(number, WireType.LengthDelimited).bytes(each)
      return
    case 'map':
      for (const [key, text] of Object.entries(value as Readonly<Record<string, string>>))
        writeWithin(writer, number, ENTRY, {key, value: text})
      return
    default:
      if ('message' in type) writeWithin(writer, number, type.message, value)
      else if ('list' in type)
        for (const each of value as readonly unknown[]) writeWithin(writer, number, type.list, each)
      else
        for (const [key, each] of Object.entries(value as Readonly<Record<string, unknown>>))
          writeWithin(writer, number, entryOf(type.mapOf), {key, value: each})
  }
}
