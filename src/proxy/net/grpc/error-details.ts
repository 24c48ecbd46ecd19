import {ERROR_INFO, RPC_TYPES, STATUS} from './error-info.ts'
import {decode, type FieldType, type Message, type Schema} from './message-codec.ts'

const texts = (...names: readonly string[]): Schema =>
  Object.fromEntries(names.map((name, at) => [name, [at + 1, 'string']] as const))

const DURATION = {seconds: [1, 'int64'], nanos: [2, 'int32']} as const

const QUOTA_VIOLATION: Schema = {
  ...texts('subject', 'description', 'apiService', 'quotaMetric', 'quotaId'),
  quotaDimensions: [6, 'map'],
  quotaValue: [7, 'int64'],
  futureQuotaValue: [8, 'int64', 'optional']
}

/** Schemas of error details, by message name (google/rpc/error_details.proto). */
const SCHEMAS: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  ['ErrorInfo', ERROR_INFO],
  ['RetryInfo', {retryDelay: [1, {message: DURATION}]}],
  ['DebugInfo', {stackEntries: [1, 'strings'], detail: [2, 'string']}],
  ['QuotaFailure', {violations: [1, {list: QUOTA_VIOLATION}]}],
  ['PreconditionFailure', {violations: [1, {list: texts('type', 'subject', 'description')}]}],
  [
    'BadRequest',
    {
      fieldViolations: [
        1,
        {
          list: {
            ...texts('field', 'description', 'reason'),
            localizedMessage: [4, {message: texts('locale', 'message')}]
          }
        }
      ]
    }
  ],
  ['RequestInfo', texts('requestId', 'servingData')],
  ['ResourceInfo', texts('resourceType', 'resourceName', 'owner', 'description')],
  ['Help', {links: [1, {list: texts('description', 'url')}]}],
  ['LocalizedMessage', texts('locale', 'message')]
])

/** Returns a google.protobuf.Duration in its JSON form: `1.500s`. */
export function durationIn({seconds, nanos}: Message<typeof DURATION>): string {
  const sign = seconds < 0n || nanos < 0 ? '-' : ''
  const fraction = `.${Math.abs(nanos).toString().padStart(9, '0')}`.replace(/\.?(?:000)+$/, '')
  return `${sign}${seconds.toString().replace('-', '')}${fraction}s`
}

type Json = Readonly<Record<string, unknown>>

/** Returns the JSON of a field; undefined: it is empty. Numbers of 64 bits become texts. `isOptional`: a zero is a value, too. */
function valueOf(type: FieldType, value: unknown, isOptional: boolean): unknown {
  if (typeof value === 'bigint') return value === 0n && !isOptional ? undefined : value.toString()
  if (value === undefined || value === '' || Object.keys(value as object).length === 0) return undefined
  if (typeof type === 'string') return value
  if ('list' in type) return (value as readonly Json[]).map(each => jsonOf(type.list, each))
  if (!('message' in type)) return value
  return type.message === DURATION ? durationIn(value as Message<typeof DURATION>) : jsonOf(type.message, value as Json)
}

const jsonOf = (schema: Schema, message: Json): Json =>
  Object.fromEntries(
    Object.entries(schema).flatMap(([name, [, type, presence]]) => {
      const value = valueOf(type, message[name], presence === 'optional')
      return value === undefined ? [] : [[name, value]]
    })
  )

/** Returns the details of an encoded `google.rpc.Status` as JSON, details of unknown types in base64; empty: the status is unreadable. */
export function detailsOf(status: Uint8Array): readonly Json[] {
  try {
    return decode(STATUS, status).details.map(({type, value}) => {
      const schema = type.startsWith(RPC_TYPES) ? SCHEMAS.get(type.slice(RPC_TYPES.length)) : undefined
      if (schema === undefined) return {'@type': type, value: Buffer.from(value).toString('base64')}
      return {'@type': type, ...jsonOf(schema, decode(schema, value))}
    })
  } catch {
    return []
  }
}
