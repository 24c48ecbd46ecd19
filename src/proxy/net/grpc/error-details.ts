import {BinaryReader} from '@bufbuild/protobuf/wire'
import {eachField, readStrings} from './invoke-messages.ts'
import {withEntry} from './message-codec.ts'
import {emptyRecord} from '../../../model/own.ts'

/** How a field of a message is written in JSON. */
type Kind = 'text' | 'texts' | 'map' | 'duration' | Schema | readonly [Schema]
type Schema = Readonly<Record<number, readonly [name: string, kind: Kind]>>

const texts = (...names: readonly string[]): Schema =>
  Object.fromEntries(names.map((name, at) => [at + 1, [name, 'text']] as const))

/** Messages that say more of an error, by their names (google/rpc/error_details.proto). */
const SCHEMAS: Readonly<Record<string, Schema>> = {
  ErrorInfo: {1: ['reason', 'text'], 2: ['domain', 'text'], 3: ['metadata', 'map']},
  RetryInfo: {1: ['retryDelay', 'duration']},
  DebugInfo: {1: ['stackEntries', 'texts'], 2: ['detail', 'text']},
  QuotaFailure: {1: ['violations', [texts('subject', 'description', 'apiService', 'quotaMetric', 'quotaId')]]},
  PreconditionFailure: {1: ['violations', [texts('type', 'subject', 'description')]]},
  BadRequest: {
    1: [
      'fieldViolations',
      [{...texts('field', 'description', 'reason'), 4: ['localizedMessage', texts('locale', 'message')]}]
    ]
  },
  RequestInfo: texts('requestId', 'servingData'),
  ResourceInfo: texts('resourceType', 'resourceName', 'owner', 'description'),
  Help: {1: ['links', [texts('description', 'url')]]},
  LocalizedMessage: texts('locale', 'message')
}

const PREFIX = 'type.googleapis.com/google.rpc.'

/** google.protobuf.Duration in its JSON form: `1.500s`. */
const durationOf = (bytes: Uint8Array): string => {
  let [seconds, nanos] = [0, 0]
  eachField(bytes, (field, reader) => {
    if (field === 1) seconds = Number(reader.int64())
    else if (field === 2) nanos = reader.int32()
    else return false
    return true
  })
  const sign = seconds < 0 || nanos < 0 ? '-' : ''
  const fraction = Math.abs(nanos)
    .toString()
    .padStart(9, '0')
    .replace(/(?:000)+$/, '')
  return `${sign}${Math.abs(seconds)}${fraction === '' ? '' : `.${fraction}`}s`
}

type Json = Record<string, unknown>

/** Adds to a list, or begins it. */
const append = (known: unknown, value: unknown): unknown[] => {
  const list = (known ?? []) as unknown[]
  list.push(value)
  return list
}

const valueOf = (kind: Kind, reader: BinaryReader, known: unknown): unknown => {
  if (kind === 'text') return reader.string()
  if (kind === 'texts') return append(known, reader.string())
  const bytes = reader.bytes()
  if (kind === 'duration') return durationOf(bytes)
  if (kind === 'map') {
    const [key = '', value = ''] = readStrings(bytes, [1, 2])
    return withEntry(known ?? {}, key, value)
  }
  const [each] = kind as readonly [Schema]
  return each === undefined ? messageOf(kind as Schema, bytes) : append(known, messageOf(each, bytes))
}

const messageOf = (schema: Schema, bytes: Uint8Array): Json => {
  const json: Json = emptyRecord()
  eachField(bytes, (field, reader) => {
    const known = schema[field]
    if (known === undefined) return false
    const [name, kind] = known
    json[name] = valueOf(kind, reader, json[name])
    return true
  })
  return json
}

/** google.protobuf.Any; of what is not known here, the bytes. */
const anyOf = (bytes: Uint8Array): Json => {
  let type = ''
  let value: Uint8Array = new Uint8Array(0)
  eachField(bytes, (field, reader) => {
    if (field === 1) type = reader.string()
    else if (field === 2) value = reader.bytes()
    else return false
    return true
  })
  const schema = type.startsWith(PREFIX) ? SCHEMAS[type.slice(PREFIX.length)] : undefined
  if (schema === undefined) return {'@type': type, value: Buffer.from(value).toString('base64')}
  return {'@type': type, ...messageOf(schema, value)}
}

/** The details of a `google.rpc.Status` as JSON has them; none where it cannot be read. */
export const detailsOf = (status: Uint8Array): readonly Json[] => {
  const details: Json[] = []
  try {
    eachField(status, (field, reader) => {
      if (field !== 3) return false
      details.push(anyOf(reader.bytes()))
      return true
    })
  } catch {
    return []
  }
  return details
}
