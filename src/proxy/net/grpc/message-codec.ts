import {messageOf} from '../../../model/errors.ts'
import {BinaryReader, BinaryWriter, WireType} from '@bufbuild/protobuf/wire'

/*
 * Codec for Protocol Buffers messages (proto3) that a table of their fields describes. `scripts/build-proto.js` compiles the tables of Dapr's
 * API from its .proto files.
 */

/**
 * Type of a field. `strings`: repeated string. `chunks`: repeated bytes, or repeated messages left encoded. `map`: map<string, string>.
 * `message`, `list` and `mapOf` (map<string, message>) contain the schema of a message. Numbers of 64 bits are bigints.
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

/** Fields of a message: number and type of each. `optional`: a missing field is undefined, and an empty one is written. */
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

/** A decoded message by its schema. Missing fields have proto3's default values. */
export type Message<S extends Schema> = {
  readonly [K in keyof S]: Value<S[K][1]> | (S[K][2] extends 'optional' ? undefined : never)
}

export const EMPTY_BYTES = new Uint8Array(0)
/** Shared value of empty lists, since most lists of messages are empty. */
const NO_LIST: readonly never[] = Object.freeze([])
const NO_MAP = Object.freeze({})

/** Functions that read and write the values of a field. */
interface Kind {
  /** Value of a missing field. */
  readonly empty: unknown
  /** Reads a value. `before`: value of the field so far, to which a list or map adds. */
  readonly read: (reader: BinaryReader, before: unknown) => unknown
  /** Writes a value, also an empty one. */
  readonly write: (writer: BinaryWriter, number: number, value: unknown) => void
}

type Scalar = Exclude<Extract<FieldType, string>, 'strings' | 'chunks' | 'map'>

/** Makes the kind of a single value, by its methods of reader and writer. */
function single(method: Scalar, wireType: WireType, empty: unknown): Kind {
  // takes the method from a reader, since readers create their method `uint32` themselves
  const taken = new BinaryReader(EMPTY_BYTES)[method] as (this: BinaryReader) => string
  const put = BinaryWriter.prototype[method] as (this: BinaryWriter, value: unknown) => BinaryWriter
  return {
    empty,
    read: typeof empty === 'bigint' ? reader => BigInt(taken.call(reader)) : reader => taken.call(reader),
    write: (writer, number, value) => void put.call(writer.tag(number, wireType), value)
  }
}

const {Varint, Bit32, Bit64, LengthDelimited} = WireType
const TEXT = single('string', LengthDelimited, '')
const BYTES = single('bytes', LengthDelimited, EMPTY_BYTES)

const within = (schema: Schema): Kind => ({
  empty: undefined,
  read: reader => read(schema, reader.bytes()),
  write: (writer, number, message) => {
    writer.tag(number, LengthDelimited).fork()
    writeMessage(writer, schema, message as Readonly<Record<string, unknown>>)
    writer.join()
  }
})

const several = (one: Kind): Kind => ({
  empty: NO_LIST,
  read: (reader, before) => withItem(before, one.read(reader, undefined)),
  write: (writer, number, list) => {
    for (const each of list as readonly unknown[]) one.write(writer, number, each)
  }
})

/** Makes the kind of a map. `orElse`: returns the value of an entry without a value. */
function mapOf(schema: Schema, orElse: () => unknown): Kind {
  const entry = within(schema)
  return {
    empty: NO_MAP,
    read: (reader, before) => {
      const {key, value = orElse()} = entry.read(reader, undefined) as {readonly key: string; readonly value: unknown}
      return withEntry(before, key, value)
    },
    write: (writer, number, map) => {
      for (const [key, value] of Object.entries(map as Readonly<Record<string, unknown>>))
        entry.write(writer, number, {key, value})
    }
  }
}

const KINDS: Readonly<Record<Extract<FieldType, string>, Kind>> = {
  string: TEXT,
  bytes: BYTES,
  int32: single('int32', Varint, 0),
  uint32: single('uint32', Varint, 0),
  int64: single('int64', Varint, 0n),
  uint64: single('uint64', Varint, 0n),
  fixed32: single('fixed32', Bit32, 0),
  fixed64: single('fixed64', Bit64, 0n),
  float: single('float', Bit32, 0),
  double: single('double', Bit64, 0),
  bool: single('bool', Varint, false),
  strings: several(TEXT),
  chunks: several(BYTES),
  map: mapOf({key: [1, 'string'], value: [2, 'string']}, () => '')
}

function kindOf(type: FieldType): Kind {
  if (typeof type === 'string') return KINDS[type]
  if ('message' in type) return within(type.message)
  if ('list' in type) return several(within(type.list))
  return mapOf({key: [1, 'string'], value: [2, {message: type.mapOf}]}, () => read(type.mapOf, EMPTY_BYTES))
}

interface Field {
  readonly name: string
  readonly number: number
  readonly kind: Kind
  readonly empty: unknown
  readonly isOptional: boolean
}

/** A schema prepared for reading and writing. */
interface Layout {
  readonly fields: readonly Field[]
  readonly byNumber: ReadonlyMap<number, Field>
}

const LAYOUTS = new WeakMap<Schema, Layout>()

/** Returns the prepared schema, created at its first use. */
function layoutOf(schema: Schema): Layout {
  const known = LAYOUTS.get(schema)
  if (known !== undefined) return known
  const fields = Object.entries(schema).map(([name, [number, type, presence]]): Field => {
    const isOptional = presence === 'optional'
    const kind = kindOf(type)
    return {name, number, kind, empty: isOptional ? undefined : kind.empty, isOptional}
  })
  const layout = {fields, byNumber: new Map(fields.map(field => [field.number, field]))}
  LAYOUTS.set(schema, layout)
  return layout
}

/** Error about bytes that are not a valid message. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

/** Decodes a message, and skips unknown fields. Throws a `DecodeError` if the bytes are invalid. */
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
    else message[field.name] = field.kind.read(reader, message[field.name])
  }
  // oxlint-enable pillion/user-words
  return message as Message<S>
}

/** Adds an item to a list that is being read. */
function withItem(list: unknown, item: unknown): readonly unknown[] {
  if (list === NO_LIST) return [item]
  const items = list as unknown[]
  items.push(item)
  return items
}

/** Adds an entry to a map that is being read. */
function withEntry(map: unknown, key: string, value: unknown): object {
  // an assignment to `__proto__` would set the prototype
  const entry = {value, enumerable: true, writable: true, configurable: true}
  return Object.defineProperty(map === NO_MAP ? {} : (map as object), key, entry)
}

/** Writer of all messages, which reuses its memory. */
let shared = new BinaryWriter()
/** Maximum size of the memory that is kept for the next message. */
const MAX_KEPT_BYTES = 64 * 1024

/** Encodes a message. Missing fields, and fields with proto3's default values, take no bytes. */
export function encode<S extends Schema>(schema: S, message: Partial<Message<S>>): Uint8Array {
  const writer = shared
  try {
    writeMessage(writer, schema, message)
    const bytes = writer.finish()
    if (bytes.length > MAX_KEPT_BYTES) shared = new BinaryWriter()
    return bytes
  } catch (error) {
    shared = new BinaryWriter() // the previous writer contains half a message
    throw error
  }
}

function writeMessage(writer: BinaryWriter, schema: Schema, message: Readonly<Record<string, unknown>>): void {
  for (const {name, number, kind, isOptional} of layoutOf(schema).fields) {
    const value = message[name]
    if (value === undefined) continue
    const isEmpty = value === kind.empty || (kind === BYTES && (value as Uint8Array).length === 0)
    if (isOptional || !isEmpty) kind.write(writer, number, value)
  }
}
