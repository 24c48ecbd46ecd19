import type {ActorOperation} from '../blocks/actor-state.ts'
import {BlockError} from '../blocks/block-error.ts'
import {compactJson, itemTexts, memberIn, memberText} from '../blocks/json-text.ts'
import {malformed, readJson, type BlockRequest} from './block-request.ts'
import {isObject} from '../../../model/is-object.ts'

const bad = (why: string): BlockError =>
  new BlockError([500, 'internal', 'ERR_ACTOR_STATE_TRANSACTION_SAVE'], `error saving actor transaction state: ${why}`)

/** The steps of a transaction of an actor's state (Dapr: pkg/actors/api/transactional.go). Throws a BlockError. */
export function readOperations(request: BlockRequest): readonly ActorOperation[] {
  const {text, value} = readJson(request)
  if (!Array.isArray(value)) throw malformed('expected an array of operations')
  return itemTexts(text).map((item, at) => readOperation(item, value[at] as unknown))
}

function readOperation(text: string, value: unknown): ActorOperation {
  if (!isObject(value)) throw malformed('an operation must be an object')
  const operation = memberIn(value, 'operation') ?? ''
  if (typeof operation !== 'string') throw malformed('"operation" must be a text')
  if (operation === '') throw bad('operation is empty')
  if (operation !== 'upsert' && operation !== 'delete') throw bad(`operation type ${operation} not supported`)
  const request = memberIn(value, 'request')
  if (request === undefined || request === null) throw bad('request data is empty')
  if (!isObject(request)) throw bad('expected a map')
  const key = textOf(request, 'key')
  if (key === '') throw bad('missing key')
  const metadata = memberIn(request, 'metadata') ?? {}
  if (!isObject(metadata)) throw bad(`'metadata' expected type 'map', got unconvertible type '${goType(metadata)}'`)
  return {
    operation,
    key,
    value: Buffer.from(compactJson(memberText(memberText(text, 'request') ?? '{}', 'value') ?? 'null')),
    isJson: true,
    etag: textOf(request, 'etag'),
    metadata: Object.fromEntries(Object.keys(metadata).map(name => [name, textOf(metadata, name)]))
  }
}

/** Reads a text field; an empty string if it is missing (mitchellh/mapstructure: the words for another type). */
function textOf(value: Readonly<Record<string, unknown>>, name: string): string {
  const member = memberIn(value, name)
  if (member === undefined || member === null) return ''
  if (typeof member === 'string') return member
  throw bad(
    `1 error(s) decoding:\n\n* '${name}' expected type 'string', got unconvertible type '${goType(member)}', value: '${JSON.stringify(member)}'`
  )
}

const goType = (value: unknown): string =>
  typeof value === 'number'
    ? 'float64'
    : typeof value === 'boolean'
      ? 'bool'
      : Array.isArray(value)
        ? '[]interface {}'
        : 'map[string]interface {}'
