import type * as Api from '../../../model/api.generated.ts'
import {createHash} from 'node:crypto'
import {traceIdOf} from '../../../model/traceparent.ts'
import {PROCESS_START, wallTime} from '../../../platform/wall-time.ts'
import {VERSION} from '../../../model/version.ts'
import {contentOf} from '../../telemetry/recorder/call-content.ts'
import type {RecordedCall} from '../../telemetry/recorder/call-recorder.ts'
import {Masking} from '../../telemetry/recorder/masking.ts'
import {rowOf} from '../call-view.ts'
import {nanoseconds, receivedSpans, spansWithLogs} from './received-spans.ts'
import type {Exporter, ExporterOptions} from './exporter.ts'

/** Span kind and status code of OpenTelemetry's `trace.proto`. */
const SERVER = 2
const UNSET = 0
/** Bits of a span's flags: it is known whether its parent is of another process, and it is. */
const REMOTE_PARENT = 0x3_00
const ERROR = 2

interface Attribute {
  readonly key: string
  readonly value: {readonly stringValue: string} | {readonly intValue: string} | {readonly doubleValue: number}
}

/**
 * Spans in OTLP's JSON encoding, one SERVER span of the callee for each call; names are those of the semantic conventions
 * for HTTP and RPC. The trace is the one that travelled with the call: the span is shown with those of an app's own SDK.
 * Where none travelled, a link leads to the call that it was made for, with the chance that it was. What SDKs of apps have sent follows as they sent it, masked.
 */
export function otlpExporter({masked, now, gathered}: ExporterOptions): Exporter {
  const masking = new Masking(masked)
  const traces = new Set<string>()
  /** The spans of a trace that apps have sent: for the first call of the trace, none for the others. */
  const sentSpans = (traceparent: string): readonly object[] => {
    const id = traceIdOf(traceparent)
    const trace = traces.has(id) ? undefined : gathered?.spans?.of(id)
    traces.add(id)
    return trace === undefined ? [] : receivedSpans(spansWithLogs(trace), masking)
  }
  return {
    type: 'application/json',
    before: '{"resourceSpans":[\n',
    between: ',\n',
    // receivers ignore names that they do not know (OTLP 1.0, JSON Protobuf Encoding)
    end: comment => `\n]${comment === '' ? '' : `,"comment":${JSON.stringify(comment)}`}}\n`,
    text: call => {
      const row = rowOf(call, contentOf(call), masking, now)
      const own = resourceSpanOf(call, row, linksOf(call.number, gathered))
      return [own, ...sentSpans(row.traceparent)].map(each => JSON.stringify(each)).join(',\n')
    }
  }
}

function resourceSpanOf(call: RecordedCall, row: Api.Call, links: readonly object[]): object {
  return {
    resource: {attributes: [text('service.name', row.to)]},
    scopeSpans: [
      {scope: {name: 'pillion', version: VERSION}, spans: [{...spanOf(call, row), ...(links.length > 0 && {links})}]}
    ]
  }
}

function spanOf({startedAt, waitedMs}: RecordedCall, row: Api.Call): object {
  const {number, method, path, traceparent, totalMs, isFailed, failure, status, marks} = row
  const isGrpc = marks.includes('grpc')
  const {traceId, parentSpanId = '', flags} = placeOf(number, traceparent)
  const attributes = isGrpc ? rpcAttributes(path, status) : httpAttributes(row)
  return {
    traceId,
    spanId: spanIdOf(number),
    ...(parentSpanId === '' ? {} : {parentSpanId}),
    flags: Number.parseInt(flags, 16) | (parentSpanId === '' ? 0 : REMOTE_PARENT),
    name: isGrpc ? path.replace(/^\//, '') : method || 'HTTP',
    kind: SERVER,
    startTimeUnixNano: nanoseconds(wallTime.of(startedAt)),
    endTimeUnixNano: nanoseconds(wallTime.of(startedAt + totalMs)),
    attributes: [...attributes, ...ownAttributes(row)],
    events: waitedMs > 0 ? [{timeUnixNano: nanoseconds(wallTime.of(startedAt + waitedMs)), name: 'admitted'}] : [],
    status: isFailed ? {code: ERROR, message: failure} : {code: UNSET}
  }
}

/** The place of a call by its `traceparent` ('' = none: in a trace of its own). */
function placeOf(number: number, traceparent: string) {
  const [, traceId = hex(`trace ${number}`, 32), parentSpanId, flags = '00'] =
    /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})/i.exec(traceparent) ?? []
  return {traceId: traceId.toLowerCase(), parentSpanId: parentSpanId?.toLowerCase(), flags}
}

const spanIdOf = (number: number): string => hex(`span ${number}`, 16)

/** The call that a call was made for, if no trace links it: of what is made for something else, such as an event, the call that this was done for. */
function linksOf(number: number, gathered: ExporterOptions['gathered']): readonly object[] {
  const own = gathered?.links.of(number)
  if (gathered === undefined || own === undefined || own.reason === 'trace') return []
  let {chance, parent} = own
  let isGuess = own.reason === 'guess'
  for (let above = gathered.links.of(parent); parent < 0 && above !== undefined; above = gathered.links.of(parent)) {
    chance *= above.chance
    isGuess ||= above.reason === 'guess'
    parent = above.parent
  }
  if (parent < 0) return []
  const {traceId} = placeOf(parent, gathered.traced.get(parent)?.wentWith ?? '')
  const attributes = [
    text('pillion.link', isGuess ? 'guess' : 'sure'),
    {key: 'pillion.chance', value: {doubleValue: chance}},
    whole('pillion.call', parent)
  ]
  return [{traceId, spanId: spanIdOf(parent), attributes}]
}

function httpAttributes({method, path, status, requestBytes, responseBytes}: Api.Call): readonly Attribute[] {
  const [, urlPath = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(path) ?? []
  return [
    text('http.request.method', method || '_OTHER'),
    text('url.scheme', 'http'),
    text('url.path', urlPath),
    ...(query === '' ? [] : [text('url.query', query)]),
    ...(status === 0 ? [] : [whole('http.response.status_code', status)]),
    whole('http.request.body.size', requestBytes),
    whole('http.response.body.size', responseBytes)
  ]
}

function rpcAttributes(path: string, status: number): readonly Attribute[] {
  const [, service = '', method = ''] = /^\/?(.*)\/([^/]*)$/.exec(path) ?? []
  return [
    text('rpc.system', 'grpc'),
    text('rpc.service', service),
    text('rpc.method', method),
    whole('rpc.grpc.status_code', status)
  ]
}

function ownAttributes({number, from, to, waitedMs, waitedFor, attempts, pid, marks}: Api.Call): readonly Attribute[] {
  return [
    whole('pillion.call', number),
    text('pillion.from', from),
    text('pillion.to', to),
    {key: 'pillion.waited_ms', value: {doubleValue: waitedMs}},
    ...(waitedFor.length === 0 ? [] : [text('pillion.waited_for', waitedFor.join(', then '))]),
    whole('pillion.attempts', attempts),
    ...(pid === 0 ? [] : [whole('process.pid', pid)]),
    ...(marks.length === 0 ? [] : [text('pillion.marks', marks.join(','))])
  ]
}

const text = (key: string, stringValue: string): Attribute => ({key, value: {stringValue}})
const whole = (key: string, value: number): Attribute => ({key, value: {intValue: value.toString()}})

/** The id of a call: unique across runs, and the same in each export. */
const hex = (name: string, digits: number): string =>
  createHash('sha256').update(`${PROCESS_START} ${name}`).digest('hex').slice(0, digits)
