import {BinaryReader, BinaryWriter, WireType} from '@bufbuild/protobuf/wire'
import {encode} from './message-codec.ts'

/*
 * Reads and writes the messages of Dapr's service invocation (dapr/proto/common/v1/common.proto, dapr/proto/runtime/v1/dapr.proto) by their
 * field numbers. There are only eight fields, so that generated code is not worth its load time.
 */

/** Names of HTTPExtension.Verb, by number. */
export const VERBS = ['NONE', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const

export interface InvokeRequest {
  readonly method: string
  /** Type of `data`; undefined: no `data`. */
  readonly typeUrl: string | undefined
  readonly value: Uint8Array
  readonly contentType: string
  /** Index of `VERBS`; undefined: no `http_extension`. */
  readonly verb: number | undefined
  readonly query: string
}

const EMPTY = new Uint8Array(0)

type ReadField = (field: number, reader: BinaryReader) => boolean

const readUntil = (end: number, reader: BinaryReader, read: ReadField): void => {
  while (reader.pos < end) {
    const [field, type] = reader.tag()
    if (!read(field, reader)) reader.skip(type, field)
  }
}

/** Calls `read` for each field of a message. `read` returns false for an unknown field. */
export const eachField = (bytes: Uint8Array, read: ReadField): void => {
  const reader = new BinaryReader(bytes)
  readUntil(reader.len, reader, read)
}

/** Does the same for a nested message with the reader of the outer message: a new reader would cost more than the reading. */
const eachFieldWithin = (reader: BinaryReader, read: ReadField): void => {
  const length = reader.uint32()
  const end = reader.pos + length
  if (end <= reader.len) readUntil(end, reader, read)
  if (reader.pos !== end) throw new RangeError('premature EOF')
}

/** Returns string fields of a message; '': missing. `fields`: field numbers. */
export const readStrings = (bytes: Uint8Array, fields: readonly number[]): readonly string[] => {
  const found = new Map<number, string>()
  eachField(bytes, (field, reader) => {
    if (!fields.includes(field)) return false
    found.set(field, reader.string())
    return true
  })
  return fields.map(field => found.get(field) ?? '')
}

/** Reads an InvokeServiceRequest: the app id, and the bytes of the InvokeRequest. */
export const readInvokeService = (
  bytes: Uint8Array
): {readonly id: string; readonly message: Uint8Array | undefined} => {
  let id = ''
  let message: Uint8Array | undefined
  eachField(bytes, (field, reader) => {
    if (field === 1) id = reader.string()
    else if (field === 3) message = reader.bytes()
    else return false
    return true
  })
  return {id, message}
}

const readAny = (reader: BinaryReader): {readonly typeUrl: string; readonly value: Uint8Array} => {
  let typeUrl = ''
  let value: Uint8Array = EMPTY
  eachFieldWithin(reader, field => {
    if (field === 1) typeUrl = reader.string()
    else if (field === 2) value = reader.bytes()
    else return false
    return true
  })
  return {typeUrl, value}
}

export const readInvokeRequest = (bytes: Uint8Array): InvokeRequest => {
  let method = ''
  let contentType = ''
  let any: ReturnType<typeof readAny> | undefined
  let extension: ReturnType<typeof readExtension> | undefined
  eachField(bytes, (field, reader) => {
    if (field === 1) method = reader.string()
    else if (field === 2) any = readAny(reader)
    else if (field === 3) contentType = reader.string()
    else if (field === 4) extension = readExtension(reader)
    else return false
    return true
  })
  return {
    method,
    typeUrl: any?.typeUrl,
    value: any?.value ?? EMPTY,
    contentType,
    verb: extension?.verb,
    query: extension?.query ?? ''
  }
}

const readExtension = (reader: BinaryReader): {readonly verb: number; readonly query: string} => {
  let verb = 0
  let query = ''
  eachFieldWithin(reader, field => {
    if (field === 1) verb = reader.int32()
    else if (field === 2) query = reader.string()
    else return false
    return true
  })
  return {verb, query}
}

const ANY = {typeUrl: [1, 'string'], value: [2, 'bytes']} as const
const REQUEST = {
  method: [1, 'string'],
  data: [2, {message: ANY}],
  contentType: [3, 'string'],
  extension: [4, {message: {verb: [1, 'int32'], query: [2, 'string']}}]
} as const
const RESPONSE = {data: [1, {message: ANY}], contentType: [2, 'string']} as const

export const writeInvokeRequest = ({
  method,
  typeUrl = '',
  value,
  contentType,
  verb,
  query
}: InvokeRequest): Uint8Array =>
  encode(REQUEST, {
    method,
    data: {typeUrl, value},
    contentType,
    extension: verb === undefined ? undefined : {verb, query}
  })

/** Completes an encoded InvokeRequest: adds missing `data`, and appends `method` if it is given, since the last value of a field counts. */
export const completed = (bytes: Uint8Array, {typeUrl}: InvokeRequest, method: string | undefined): Uint8Array => {
  if (typeUrl !== undefined && method === undefined) return bytes
  const writer = new BinaryWriter().raw(bytes)
  if (typeUrl === undefined) writer.tag(2, WireType.LengthDelimited).bytes(EMPTY)
  if (method !== undefined) writer.tag(1, WireType.LengthDelimited).string(method)
  return writer.finish()
}

export interface InvokeResponse {
  readonly typeUrl: string
  readonly value: Uint8Array
  readonly contentType: string
}

export const writeInvokeResponse = ({typeUrl, value, contentType}: InvokeResponse): Uint8Array =>
  encode(RESPONSE, {data: {typeUrl, value}, contentType})

export const readInvokeResponse = (bytes: Uint8Array): InvokeResponse => {
  let response: InvokeResponse = {typeUrl: '', value: EMPTY, contentType: ''}
  eachField(bytes, (field, reader) => {
    if (field === 1) response = {...response, ...readAny(reader)}
    else if (field === 2) response = {...response, contentType: reader.string()}
    else return false
    return true
  })
  return response
}
