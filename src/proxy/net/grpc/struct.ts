import {decode, encode, type Message, type Schema} from './message-codec.ts'

/*
 * Converts JSON to the messages of google/protobuf/struct.proto and back. A Struct or list consists of values, which may be Structs and lists.
 */
const VALUE: Schema = {
  none: [1, 'int32', 'optional'],
  number: [2, 'double', 'optional'],
  text: [3, 'string', 'optional'],
  truth: [4, 'bool', 'optional'],
  get struct(): Schema[string] {
    return [5, {message: STRUCT}]
  },
  get list(): Schema[string] {
    return [6, {message: LIST}]
  }
}
const STRUCT: Schema = {fields: [1, {mapOf: VALUE}]}
const LIST: Schema = {values: [1, {list: VALUE}]}

type Fields = Message<Schema>

function valueOf(json: unknown): Fields {
  if (typeof json === 'string') return {text: json.toWellFormed()}
  if (typeof json === 'number') return {number: json}
  if (typeof json === 'boolean') return {truth: json}
  if (Array.isArray(json)) return {list: {values: json.map((each: unknown) => valueOf(each))}}
  return typeof json === 'object' && json !== null ? {struct: fieldsOf(json)} : {none: 0}
}

const fieldsOf = (object: object): Fields => {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined)
  return {fields: Object.fromEntries(entries.map(([key, value]) => [key, valueOf(value)]))}
}

const jsonOf = ({number, text, truth, struct, list}: Fields): unknown =>
  number ?? text ?? truth ?? (struct && objectOf(struct as Fields)) ?? (list && itemsOf(list as Fields)) ?? null

const objectOf = ({fields}: Fields): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields as Readonly<Record<string, Fields>>).map(([key, each]) => [key, jsonOf(each)])
  )

const itemsOf = ({values}: Fields): unknown[] => (values as readonly Fields[]).map(each => jsonOf(each))

/** Encodes a JSON object as a `google.protobuf.Struct`, without fields that are undefined. */
export const structOf = (object: Readonly<Record<string, unknown>>): Uint8Array => encode(STRUCT, fieldsOf(object))

/** Encodes a JSON value as a `google.protobuf.Value`. */
export const valueBytes = (value: unknown): Uint8Array => encode(VALUE, valueOf(value))

/** Decodes a `google.protobuf.Struct` to JSON. Throws for invalid bytes. */
export const structIn = (bytes: Uint8Array): Record<string, unknown> => objectOf(decode(STRUCT, bytes))

/** Decodes a `google.protobuf.Value` to JSON. Throws for invalid bytes. */
export const valueIn = (bytes: Uint8Array): unknown => jsonOf(decode(VALUE, bytes))
