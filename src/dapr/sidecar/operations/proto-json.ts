import {unreachable} from '../../../model/errors.ts'
import {ConversationMessage} from '../../../model/dapr/messages/ai.generated.ts'
import {JobFailurePolicy} from '../../../model/dapr/messages/common.generated.ts'
import {Any, Duration} from '../../../model/dapr/messages/google.generated.ts'
import {durationIn} from '../../../proxy/net/grpc/error-details.ts'
import type {FieldType, Message, Schema} from '../../../proxy/net/grpc/message-codec.ts'
import {structIn, structOf} from '../../../proxy/net/grpc/struct.ts'
import {malformed} from './block-request.ts'
import {isObject} from '../../../model/is-object.ts'

/*
 * Converts messages from and to JSON by their schema (protobuf: ProtoJSON). Fields of type `bytes` count as a `google.protobuf.Struct`,
 * since messages that use this file have no other bytes. An `Any` stays plain JSON.
 */

/** Messages of which at most one field may be set (`oneof`). */
const ONE_OF = new Set<Schema>([ConversationMessage, JobFailurePolicy])

/** Reads a message from JSON. Field names may be in camel case or as in the .proto file; unknown names are skipped. Throws Dapr's error. */
export function messageOfJson<S extends Schema>(schema: S, value: unknown, name = ''): Message<S> {
  if (!isObject(value)) throw malformed(`${name === '' ? 'expected' : `"${name}" must be`} an object`)
  const members = Object.entries(schema).map(([key, [, type, presence]]) => {
    const member = value[key] ?? value[snakeCase(key)] ?? undefined
    return [key, member === undefined && presence === 'optional' ? undefined : fieldOf(type, member, key)]
  })
  const message = Object.fromEntries(members) as Message<S>
  if (ONE_OF.has(schema)) checkOne(message, name)
  return message
}

function checkOne(message: object, name: string): void {
  const set = Object.entries(message).filter(([, member]) => member !== undefined)
  if (set.length > 1) throw malformed(`"${name}" has ${set.map(([key]) => key).join(' and ')}: it may have one of them`)
}

const snakeCase = (key: string): string => key.replace(/[A-Z]/g, capital => `_${capital.toLowerCase()}`)

function fieldOf(type: FieldType, value: unknown, key: string): unknown {
  if (typeof type !== 'string') return nested(type, value, key)
  const wrong = (what: string): never => {
    throw malformed(`"${key}" must be ${what}`)
  }
  switch (type) {
    case 'string':
      return value === undefined ? '' : typeof value === 'string' ? value : wrong('a text')
    case 'bool':
      return value === undefined ? false : typeof value === 'boolean' ? value : wrong('true or false')
    case 'double': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : (value ?? 0)
      return typeof number === 'number' && !Number.isNaN(number) ? number : wrong('a number')
    }
    case 'bytes':
      return value === undefined ? new Uint8Array(0) : isObject(value) ? structOf(value) : wrong('an object')
    case 'map': {
      const texts = value === undefined ? {} : isObject(value) ? value : wrong('an object')
      return Object.values(texts).every(each => typeof each === 'string') ? texts : wrong('an object of texts')
    }
    case 'int32':
      return wholeOf(value, -(2 ** 31), 2 ** 31 - 1) ?? wrong('a whole number')
    case 'uint32':
      return wholeOf(value, 0, 2 ** 32 - 1) ?? wrong('a whole number from 0 to 4294967295')
    case 'fixed32':
    case 'int64':
    case 'uint64':
    case 'fixed64':
    case 'float':
    case 'strings':
    case 'chunks':
      throw new Error(`${key}: nothing reads ${type} from JSON yet`)
    default:
      return unreachable(type)
  }
}

/** Reads a whole number from `min` to `max`, given as number or string; undefined: another value. A missing value is 0. */
function wholeOf(value: unknown, min: number, max: number): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : (value ?? 0)
  return Number.isInteger(number) && (number as number) >= min && (number as number) <= max
    ? (number as number)
    : undefined
}

function nested(type: Exclude<FieldType, string>, value: unknown, key: string): unknown {
  if ('message' in type) {
    if (value === undefined) return undefined
    return type.message === Duration ? durationOf(value, key) : messageOfJson(type.message, value, key)
  }
  if ('list' in type) {
    const list = value ?? []
    if (!Array.isArray(list)) throw malformed(`"${key}" must be a list`)
    return (list as readonly unknown[]).map((each, at) => messageOfJson(type.list, each, `${key}[${at}]`))
  }
  const all = value ?? {}
  if (!isObject(all)) throw malformed(`"${key}" must be an object`)
  for (const [name, each] of Object.entries(all))
    if (type.mapOf === Any && !(isObject(each) && typeof each['@type'] === 'string'))
      throw malformed(`"${key}.${name}" must be an object with "@type"`)
  return all
}

/** Limit of a Duration: ten thousand years (google/protobuf/duration.proto). */
const MAX_SECONDS = 315_576_000_000

function durationOf(value: unknown, key: string): Message<typeof Duration> {
  const match = typeof value === 'string' ? /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(value) : null
  if (match === null) throw malformed(`"${key}" must be seconds such as 86400s`)
  const [, sign = '', whole = '0', part = ''] = match
  const factor = sign === '-' ? -1 : 1
  if (Number(whole) > MAX_SECONDS) throw malformed(`"${key}" is out of range`)
  return {seconds: BigInt(whole) * BigInt(factor), nanos: Number(part.padEnd(9, '0')) * factor}
}

/** Returns a message as JSON without empty fields. Numbers of 64 bits become strings. */
export function jsonOfMessage<S extends Schema>(schema: S, message: Partial<Message<S>>): object {
  const members = Object.entries(schema).flatMap(([key, [, type, presence]]) => {
    const value = jsonOfField(type, (message as Readonly<Record<string, unknown>>)[key])
    return value === undefined || (presence !== 'optional' && isEmpty(value)) ? [] : [[key, value] as const]
  })
  return Object.fromEntries(members)
}

const isEmpty = (value: unknown): boolean =>
  value === '' || value === false || value === 0 || value === '0' || (Array.isArray(value) && value.length === 0)

function jsonOfField(type: FieldType, value: unknown): unknown {
  if (value === undefined) return undefined
  if (typeof value === 'bigint') return value.toString()
  if (type === 'bytes') return structIn(value as Uint8Array)
  if (typeof type === 'string') return value
  if ('message' in type && type.message === Duration) return durationIn(value as Message<typeof Duration>)
  if ('message' in type) return jsonOfMessage(type.message, value as object)
  if ('list' in type) return (value as readonly object[]).map(each => jsonOfMessage(type.list, each))
  return Object.keys(value as object).length > 0 ? value : undefined
}
