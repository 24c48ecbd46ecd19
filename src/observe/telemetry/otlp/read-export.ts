import {jsonIn} from '../../../model/is-json.ts'
import {isObject} from '../../../model/is-object.ts'
import {ExportLogsServiceRequest} from '../../../model/otlp/messages/logs_service.generated.ts'
import {LogRecord, ResourceLogs, ScopeLogs} from '../../../model/otlp/messages/logs.generated.ts'
import {ExportTraceServiceRequest} from '../../../model/otlp/messages/trace_service.generated.ts'
import {ResourceSpans, ScopeSpans, Span} from '../../../model/otlp/messages/trace.generated.ts'
import {decode, DecodeError, type Schema} from '../../../proxy/net/grpc/message-codec.ts'
import type {Attributes} from './received.ts'
import {ArrayValue, KeyValueList} from '../../../model/otlp/messages/common.generated.ts'

/** Returns a schema in which the messages of this list stay bytes, to be decoded one by one. */
const undecoded = (schema: Schema, list: string): Schema => ({...schema, [list]: [schema[list]?.[0] ?? 0, 'chunks']})

/** The kept signals: names of the nested lists in a request, and schemas of the request and of the items of each list. */
const SIGNALS = {
  traces: {
    lists: ['resourceSpans', 'scopeSpans', 'spans'],
    tables: [
      undecoded(ExportTraceServiceRequest, 'resourceSpans'),
      undecoded(ResourceSpans, 'scopeSpans'),
      undecoded(ScopeSpans, 'spans'),
      Span
    ]
  },
  logs: {
    lists: ['resourceLogs', 'scopeLogs', 'logRecords'],
    tables: [
      undecoded(ExportLogsServiceRequest, 'resourceLogs'),
      undecoded(ResourceLogs, 'scopeLogs'),
      undecoded(ScopeLogs, 'logRecords'),
      LogRecord
    ]
  }
} as const satisfies Record<string, {readonly lists: readonly string[]; readonly tables: readonly Schema[]}>

/** The signals that are kept; metrics are not. */
export type Signal = keyof typeof SIGNALS

/** The fields of a span or log record, with its source. */
export interface ExportedItem {
  readonly resource: Attributes
  readonly scope: string
  readonly message: Readonly<Record<string, unknown>>
}

/** Yields the items of a request one by one: a long request is not decoded at once. Throws a DecodeError. */
export function* itemsOf(signal: Signal, body: Buffer, isJson: boolean): Generator<ExportedItem> {
  const [resources, scopes, items] = SIGNALS[signal].lists
  const [request, ofResource, ofScope, item] = SIGNALS[signal].tables
  for (const part of elementsOf(opened(request, isJson ? parsed(body) : body)[resources])) {
    const {resource, [scopes]: below} = opened(ofResource, part)
    const attributes = readAttributes(fieldsOf(resource)['attributes'])
    for (const each of elementsOf(below)) {
      const {scope, [items]: found} = opened(ofScope, each)
      const name = primitiveText(fieldsOf(scope)['name'])
      for (const one of elementsOf(found)) yield {resource: attributes, scope: name, message: opened(item, one)}
    }
  }
}

/** Returns the fields of a message: decodes bytes of protobuf; JSON is parsed already. */
const opened = (table: Schema, message: unknown): Readonly<Record<string, unknown>> =>
  message instanceof Uint8Array ? decode(table, message) : fieldsOf(message)

function parsed(body: Buffer): unknown {
  const value = jsonIn(body.toString())
  if (isObject(value)) return value
  throw new DecodeError('it is no JSON object')
}

/** Maximum number of characters that are kept of a value. */
const MAX_TEXT = 4096
/** Maximum number of attributes that are kept of a span, event or log record (the SDKs' own limit). */
const MAX_ATTRIBUTES = 128
/** Maximum number of characters of an attribute's name. */
const MAX_NAME = 256
/** Maximum nesting of lists and maps. */
const MAX_DEPTH = 6
const MAX_ITEMS = 100

/** Cuts a text after `max` characters, marks the cut with `…`, and makes it well-formed. */
export const shortText = (text: string, max = MAX_TEXT): string =>
  (text.length <= max ? text : `${text.slice(0, max)}…`).toWellFormed()

/** Reads attributes as names and texts, from protobuf or from arbitrary JSON. */
export const readAttributes = (pairs: unknown): Attributes =>
  elementsOf(pairs)
    .slice(0, MAX_ATTRIBUTES)
    .flatMap(pair =>
      isObject(pair) && typeof pair['key'] === 'string' && pair['key'] !== ''
        ? [[shortText(pair['key'], MAX_NAME), anyText(pair['value'])] as const]
        : []
    )

/** Returns the text of an AnyValue; lists and maps as JSON. '': none. */
export function anyText(value: unknown): string {
  const plain = plainOf(value, 0)
  return shortText(typeof plain === 'string' ? plain : plain === undefined ? '' : JSON.stringify(plain))
}

export const elementsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Returns a text or number as text; empty for other values. */
export const primitiveText = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'bigint' ? value.toString() : ''

function plainOf(value: unknown, depth: number): unknown {
  if (!isObject(value)) return undefined
  const {stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue} = value
  if (typeof stringValue === 'string') return shortText(stringValue)
  if (typeof boolValue === 'boolean') return boolValue
  // JSON has an integer as a text (the specification) or a number (the SDK of JavaScript); as a number, a long one would lose digits
  if (intValue !== undefined) return primitiveText(intValue)
  if (doubleValue !== undefined) return primitiveText(doubleValue)
  if (bytesValue instanceof Uint8Array)
    return shortText(Buffer.from(bytesValue.subarray(0, MAX_TEXT)).toString('base64'))
  if (typeof bytesValue === 'string') return shortText(bytesValue)
  if (depth >= MAX_DEPTH) return '…'
  if (arrayValue !== undefined) {
    const {values} = arrayValue instanceof Uint8Array ? decode(ArrayValue, arrayValue) : fieldsOf(arrayValue)
    return elementsOf(values)
      .slice(0, MAX_ITEMS)
      .map(each => plainOf(each, depth + 1))
  }
  if (kvlistValue === undefined) return undefined
  const {values} = kvlistValue instanceof Uint8Array ? decode(KeyValueList, kvlistValue) : fieldsOf(kvlistValue)
  const pairs = elementsOf(values).slice(0, MAX_ITEMS).filter(isObject)
  return Object.fromEntries(
    pairs.map(each => [shortText(primitiveText(each['key'])), plainOf(each['value'], depth + 1)])
  )
}

/** Returns the fields of a JSON object; none for other values. */
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> => (isObject(value) ? value : {})
