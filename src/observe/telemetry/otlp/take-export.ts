import {setImmediate as nextTurn} from 'node:timers/promises'
import type {Attributes, Sender, ReceivedLog, ReceivedSpan, SpanDetails} from './received.ts'
import {
  itemsOf,
  type Signal,
  readAttributes,
  shortText,
  fieldsOf,
  elementsOf,
  anyText,
  primitiveText
} from './read-export.ts'
import type {SpanStore} from './span-store.ts'
import type {SpanException} from '../../../model/api.generated.ts'

/** Maximum number of characters of the name of a span. */
const MAX_NAME = 512
/** Maximum number of events that are kept of a span (the SDKs' own limit is 128). */
const MAX_EVENTS = 32
/** Number of characters of a span's details above which they are shortened. */
const MAX_DETAILS = 64 * 1024
/** Maximum age of a time. Apps have the clock of this machine: an older time, or one further ahead than `MAX_AHEAD_MS`, is wrong. */
const MAX_AGE_MS = 24 * 60 * 60 * 1000
const MAX_AHEAD_MS = 60_000

type Message = Readonly<Record<string, unknown>>

/** Thrown for a span or log record that is rejected, with the reason. */
export class Rejected extends Error {
  override readonly name = 'Rejected'
}

/** Returns a span, from protobuf or JSON. Throws a Rejected if it has no place in a trace. `now`: ms since 1970. */
export function readSpan(span: Message, {scope, sender, now}: SpanReading): ReceivedSpan {
  const traceId = idOf(span['traceId'], 32)
  const spanId = idOf(span['spanId'], 16)
  if (traceId === '' || spanId === '')
    throw new Rejected('a span needs a trace id of 16 bytes and a span id of 8 bytes')
  const parentId = idOf(span['parentSpanId'], 16)
  const start = msOf(span['startTimeUnixNano'])
  const times = possible(start, msOf(span['endTimeUnixNano']), now)
  const status = fieldsOf(span['status'])
  const exceptions = elementsOf(span['events']).map(fieldsOf)
  const thrown = exceptions.findLast(({name}) => name === 'exception')
  const attributes = readAttributes(span['attributes'])
  const events = exceptions
    .filter(({name}) => name !== 'exception')
    .slice(0, MAX_EVENTS)
    .map(event => ({
      name: shortText(primitiveText(event['name']), MAX_NAME),
      // uses the app's clock, like the start of the span
      at: start === 0 ? 0 : (msOf(event['timeUnixNano']) || start) - start,
      attributes: readAttributes(event['attributes'])
    }))
  const exception = thrown === undefined ? undefined : exceptionIn(readAttributes(thrown['attributes']))
  const details: SpanDetails = {
    message: shortText(primitiveText(status['message'])),
    scope: shortText(scope, MAX_NAME),
    attributes,
    ...(exception !== undefined && {exception}),
    ...(events.length > 0 && {events})
  }
  return {
    ...sender,
    traceId,
    spanId,
    parentId: parentId === spanId ? '' : parentId,
    name: shortText(primitiveText(span['name']), MAX_NAME),
    kind: numberOf(span['kind']),
    ...times,
    isFailed: numberOf(status['code']) === ERROR,
    details: short(details)
  }
}

/** Context of a span or log record. */
interface SpanReading {
  readonly scope: string
  readonly sender: Sender
  readonly now: number
}

/** `STATUS_CODE_ERROR` of OpenTelemetry's trace.proto. */
const ERROR = 2

/** Returns a log record. Undefined if it names no trace. */
export function readLogRecord(log: Message, {sender, now}: SpanReading): ReceivedLog | undefined {
  const traceId = idOf(log['traceId'], 32)
  if (traceId === '') return undefined
  const at = possible(msOf(log['timeUnixNano']) || msOf(log['observedTimeUnixNano']), 0, now).startedAt
  const exception = exceptionIn(readAttributes(log['attributes']))
  return {
    ...sender,
    traceId,
    spanId: idOf(log['spanId'], 16),
    at,
    severity: numberOf(log['severityNumber']),
    text: anyText(log['body']),
    exception: exception === undefined ? '' : JSON.stringify(exception)
  }
}

/** Reads the exception under the names of the semantic conventions, if there is one. */
function exceptionIn(attributes: Attributes): SpanException | undefined {
  const valueOf = (name: string): string => attributes.findLast(([each]) => each === name)?.[1] ?? ''
  const [type, message, stack] = ['exception.type', 'exception.message', 'exception.stacktrace'].map(valueOf)
  if (type === undefined || message === undefined || stack === undefined) return undefined
  return type === '' && message === '' ? undefined : {type, message, stack}
}

/** Returns the details as JSON. Long details lose their events and the ends of attributes. */
function short(details: SpanDetails): string {
  const all = JSON.stringify(details)
  if (all.length <= MAX_DETAILS) return all
  const {events: _, ...plain} = details
  const attributes = plain.attributes.map(([name, value]) => [name, shortText(value, 256)] as const)
  return JSON.stringify({...plain, attributes})
}

/** Reads an id from bytes, or from hexadecimal digits as in JSON; empty if missing or invalid. */
function idOf(value: unknown, digits: number): string {
  const id = value instanceof Uint8Array ? Buffer.from(value).toString('hex') : primitiveText(value).toLowerCase()
  return id.length === digits && /^(?!0*$)[\da-f]+$/.test(id) ? id : ''
}

/** Converts nanoseconds since 1970 to ms; 0: none. */
const msOf = (value: unknown): number => numberOf(value) / 1e6

/** Reads a number; 0: none. */
const numberOf = (value: unknown): number => Number(primitiveText(value)) || 0

function possible(start: number, end: number, now: number): {readonly startedAt: number; readonly endedAt: number} {
  const isPossible = start >= now - MAX_AGE_MS && start <= now + MAX_AHEAD_MS
  const startedAt = isPossible ? start : now
  return {startedAt, endedAt: isPossible && end >= start && end <= now + MAX_AHEAD_MS ? end : startedAt}
}

/** Attribute of a resource that names the app of the run, whatever `service.name` its code sets. */
const APP_ATTRIBUTE = 'pillion.app'
/** How long a batch is read in one turn of the event loop, in ms: calls are served in between. */
const TURN_MS = 1

/** The result of a request. */
export interface Taken {
  readonly rejected: number
  /** The reason; empty if nothing was rejected. */
  readonly why: string
}

/** Keeps the items of a request. Rejects with a DecodeError if it is broken, and keeps the items before the break. */
export async function takeExport(
  store: SpanStore,
  {signal, body, isJson}: {readonly signal: Signal; readonly body: Buffer; readonly isJson: boolean},
  isApp: (id: string) => boolean
): Promise<Taken> {
  let rejected = 0
  let why = ''
  let until = performance.now() + TURN_MS
  for (const {resource, scope, message} of itemsOf(signal, body, isJson)) {
    if (performance.now() > until) {
      await nextTurn()
      until = performance.now() + TURN_MS
    }
    const reading = {scope, sender: senderOf(resource, isApp), now: Date.now()}
    try {
      if (signal === 'traces') store.addSpan(readSpan(message, reading), scope)
      else {
        const log = readLogRecord(message, reading)
        if (log !== undefined) store.addLog(log)
      }
    } catch (error) {
      if (!(error instanceof Rejected)) throw error
      rejected++
      why = error.message
    }
  }
  return {rejected, why}
}

function senderOf(resource: Attributes, isApp: (id: string) => boolean): Sender {
  const valueOf = (wanted: string): string => resource.findLast(([name]) => name === wanted)?.[1] ?? ''
  const [marked, service] = [valueOf(APP_ATTRIBUTE), valueOf('service.name')]
  const app = isApp(marked) ? marked : service
  return {app: app || 'unknown_service', isApp: isApp(app)}
}
