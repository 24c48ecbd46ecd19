import {messageOf} from '../../model/errors.ts'
import {BinaryReader, BinaryWriter, WireType} from '@bufbuild/protobuf/wire'

/*
 * Messages of Protocol Buffers (proto3) by a table of their fields: what Dapr's API says of a message is a line here, and
 * no code has to be generated for it.
 */

/** `map`: map<string, string>. A message, a list of messages, and a map from strings to messages name their schema. */
export type FieldType =
  | 'string'
  | 'bytes'
  | 'int32'
  | 'bool'
  | 'strings'
  | 'map'
  | {readonly message: Schema}
  | {readonly list: Schema}
  | {readonly mapOf: Schema}

/** The fields of a message: number and type. */
export interface Schema {
  readonly [name: string]: readonly [number: number, type: FieldType]
}

type Value<T> = T extends 'string'
  ? string
  : T extends 'bytes'
    ? Uint8Array
    : T extends 'int32'
      ? number
      : T extends 'bool'
        ? boolean
        : T extends 'strings'
          ? readonly string[]
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
export type Message<S extends Schema> = {readonly [K in keyof S]: Value<S[K][1]>}

const NOTHING = new Uint8Array(0)
const ENTRY = {key: [1, 'string'], value: [2, 'string']} as const

const emptyOf = (type: FieldType): unknown => {
  switch (type) {
    case 'string':
      return ''
    case 'bytes':
      return NOTHING
    case 'int32':
      return 0
    case 'bool':
      return false
    case 'strings':
      return []
    case 'map':
      return {}
    default:
      return 'message' in type ? undefined : 'list' in type ? [] : {}
  }
}

/** Bytes that are no message. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

/** Reads a message; fields that the schema does not know are passed over. Throws a DecodeError if it is none. */
export function decode<S extends Schema>(schema: S, bytes: Uint8Array): Message<S> {
  try {
    return read(schema, bytes)
  } catch (error) {
    throw new DecodeError(messageOf(error), {cause: error})
  }
}

function read<S extends Schema>(schema: S, bytes: Uint8Array): Message<S> {
  const fields = Object.entries(schema)
  const names = new Map(fields.map(([name, [number, type]]) => [number, {name, type}]))
  const message = Object.fromEntries(fields.map(([name, [, type]]) => [name, emptyOf(type)]))
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag()
    const field = names.get(number)
    if (field === undefined) reader.skip(wireType, number)
    else message[field.name] = readField(reader, field.type, message[field.name])
  }
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
    case 'bool':
      return reader.bool()
    case 'strings':
      return [...(before as readonly string[]), reader.string()]
    case 'map': {
      const {key, value} = read(ENTRY, reader.bytes())
      return {...(before as object), [key]: value}
    }
    default: {
      if ('message' in type) return read(type.message, reader.bytes())
      if ('list' in type) return [...(before as readonly unknown[]), read(type.list, reader.bytes())]
      const {key, value} = read(entryOf(type.mapOf), reader.bytes())
      return {...(before as object), [key]: value ?? read(type.mapOf, NOTHING)}
    }
  }
}

const entryOf = (schema: Schema) => ({key: [1, 'string'], value: [2, {message: schema}]}) as const

/** Writes a message; fields that are left out, or are as proto3 has them anyway, take no bytes. */
export function encode<S extends Schema>(schema: S, message: Partial<Message<S>>): Uint8Array {
  const writer = new BinaryWriter()
  writeMessage(writer, schema, message)
  return writer.finish()
}

function writeMessage(writer: BinaryWriter, schema: Schema, message: Readonly<Record<string, unknown>>): void {
  for (const [name, [number, type]] of Object.entries(schema)) {
    const value = message[name]
    if (value !== undefined) writeField(writer, number, type, value)
  }
}

function writeField(writer: BinaryWriter, number: number, type: FieldType, value: unknown): void {
  const delimited = (): BinaryWriter => writer.tag(number, WireType.LengthDelimited)
  const within = (schema: Schema, inner: unknown): void => {
    delimited().fork()
    writeMessage(writer, schema, inner as Readonly<Record<string, unknown>>)
    writer.join()
  }
  switch (type) {
    case 'string':
      if (value !== '') delimited().string(value as string)
      return
    case 'bytes':
      if ((value as Uint8Array).length > 0) delimited().bytes(value as Uint8Array)
      return
    case 'int32':
      if (value !== 0) writer.tag(number, WireType.Varint).int32(value as number)
      return
    case 'bool':
      if (value === true) writer.tag(number, WireType.Varint).bool(true)
      return
    case 'strings':
      for (const each of value as readonly string[]) delimited().string(each)
      return
    case 'map':
      for (const [key, text] of Object.entries(value as object)) within(ENTRY, {key, value: text as unknown})
      return
    default:
      if ('message' in type) within(type.message, value)
      else if ('list' in type) for (const each of value as readonly unknown[]) within(type.list, each)
      else
        for (const [key, each] of Object.entries(value as object))
          within(entryOf(type.mapOf), {key, value: each as unknown})
  }
}
