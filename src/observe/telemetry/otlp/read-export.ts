import {jsonIn} from '../../../model/is-json.ts'
import {isObject} from '../../../model/is-object.ts'
import {ExportLogsServiceRequest} from '../../../model/otlp/messages/logs_service.generated.ts'
import {LogRecord, ResourceLogs, ScopeLogs} from '../../../model/otlp/messages/logs.generated.ts'
import {ExportTraceServiceRequest} from '../../../model/otlp/messages/trace_service.generated.ts'
import {ResourceSpans, ScopeSpans, Span} from '../../../model/otlp/messages/trace.generated.ts'
import {decode, DecodeError, type Schema} from '../../../proxy/net/grpc/message-codec.ts'
import {readAttributes, fieldsOf, elementsOf, primitiveText} from './any-value.ts'
import type {Attributes} from './received.ts'

/** A table in which the messages of this list stay bytes: they are decoded one by one. */
const undecoded = (schema: Schema, list: string): Schema => ({...schema, [list]: [schema[list]?.[0] ?? 0, 'chunks']})

/** The signals: the lists in their messages, and the tables of these. */
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

/** A span or a log record that is not read yet, with where it came from. */
export interface ExportedItem {
  readonly resource: Attributes
  readonly scope: string
  readonly message: Readonly<Record<string, unknown>>
}

/** Each item of a request, one after the other: a long request is not decoded at once. Throws a DecodeError where it is none. */
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

/** The fields of a message; JSON is open already. */
const opened = (table: Schema, message: unknown): Readonly<Record<string, unknown>> =>
  message instanceof Uint8Array ? decode(table, message) : fieldsOf(message)

function parsed(body: Buffer): unknown {
  const value = jsonIn(body.toString())
  if (isObject(value)) return value
  throw new DecodeError('it is no JSON object')
}
