import type * as Api from '../../../model/api.generated.ts'
import type {SpanException} from '../../../model/api.generated.ts'
import {traceIdOf} from '../../../model/traceparent.ts'
import {VERSION} from '../../../model/version.ts'
import {
  contentOf,
  headerValue,
  MAX_PLAIN,
  plainBody,
  type CallContent,
  type RecordedMessage
} from '../../telemetry/recorder/call-content.ts'
import type {RecordedCall} from '../../telemetry/recorder/call-recorder.ts'
import {Masking} from '../../telemetry/recorder/masking.ts'
import {detailOf} from '../call-view.ts'
import {spanView} from '../trace/span-view.ts'
import {UNMASKED, type Exporter, type ExporterOptions} from './exporter.ts'
import {spanDetails, type Attributes, type ReceivedLog, type ReceivedSpan} from '../../telemetry/otlp/received.ts'
import type {Gathered} from '../trace/gather.ts'
import type {JoinedTrace} from '../trace/join-spans.ts'

const CREATOR = {name: 'Pillion', version: VERSION}

/** Writes HTTP Archive 1.2 (W3C draft of the Web Performance group). `_pillion` has the facts without a field in HAR. */
export function harExporter({masked, now, gathered}: ExporterOptions): Exporter {
  const masking = new Masking(masked)
  const spansOf = gathered && spansByCall(gathered)
  const spansIn = ({number, startedAt}: RecordedCall, traceparent: string): readonly Api.Span[] =>
    spansOf?.(number, traceIdOf(traceparent)).map(span => spanView(span, masking, startedAt)) ?? []
  return {
    type: 'application/json',
    before: `{"log":{"version":"1.2","creator":${JSON.stringify(CREATOR)},"entries":[\n`,
    between: ',\n',
    end: comment => `\n]${comment === '' ? '' : `,"comment":${JSON.stringify(comment)}`}}}\n`,
    text: call => {
      const content = contentOf(call)
      const detail = detailOf(call, masking, now, content)
      return JSON.stringify(entryOf(content, detail, spansIn(call, detail.traceparent)))
    }
  }
}

/** Fields of a call that HAR has in fields of its own: they are left out of `_pillion`. */
const OF_HAR: ReadonlySet<string> = new Set(
  'at method path target status requestBytes responseBytes firstByteMs totalMs connectMs request response'.split(' ')
)

function entryOf({request, response}: CallContent, detail: Api.CallDetail, spans: readonly Api.Span[]): object {
  const {at, marks, status} = detail
  const isGrpc = marks.includes('grpc')
  const timings = timingsOf(detail)
  return {
    startedDateTime: at,
    time: Object.values(timings).reduce((sum, ms) => sum + Math.max(0, ms), 0),
    request: requestOf(request, detail),
    response: responseOf(response, detail),
    cache: {},
    timings,
    _pillion: {
      ...Object.fromEntries(Object.entries(detail).filter(([name]) => !OF_HAR.has(name))),
      ...(isGrpc && {grpcStatus: status}),
      ...(spans.length > 0 && {spans})
    }
  }
}

/** Returns the times of the phases, in ms; -1: the phase did not apply. */
function timingsOf({waitedMs, connectMs, firstByteMs, totalMs}: Api.CallDetail): Record<string, number> {
  const hasResponse = firstByteMs > 0
  const wait = (hasResponse ? firstByteMs : totalMs) - waitedMs - connectMs
  return {
    blocked: waitedMs,
    dns: -1,
    connect: connectMs > 0 ? connectMs : -1,
    ssl: -1,
    send: 0,
    wait: Math.max(0, wait),
    receive: hasResponse ? Math.max(0, totalMs - firstByteMs) : 0
  }
}

function requestOf(message: RecordedMessage, detail: Api.CallDetail): object {
  const {request, method, requestBytes} = detail
  const mimeType = headerValue(message.headers, 'content-type')
  return {
    method: method || 'GET',
    url: urlOf(message, detail),
    httpVersion: versionOf(detail),
    cookies: [],
    headers: headersOf(request),
    queryString: queryOf(detail.target),
    ...(request.body === '' ? {} : {postData: {mimeType, ...textOf(request)}}),
    headersSize: sizeOf(message),
    bodySize: requestBytes
  }
}

/** Returns the version of HTTP between the caller and Pillion; for a request of a sidecar itself between the sidecar and its app. */
function versionOf({protocol, calleeProtocol, request}: Api.CallDetail): string {
  const spoken = protocol === 'none' ? calleeProtocol : protocol
  if (spoken === 'bytes') return 'TCP'
  if (spoken === 'HTTP/2' || spoken === 'gRPC') return 'HTTP/2'
  return /HTTP\/1\.\d$/.exec(request.line)?.[0] ?? 'HTTP/1.1'
}

/** Returns the text of a message, with `_encoding` for `base64`, which HAR lacks for requests. */
const textOf = ({body, encoding, isUnmasked}: Api.Message): object => ({
  text: body,
  ...(encoding === 'base64' && {_encoding: encoding}),
  ...(isUnmasked === true && {comment: UNMASKED})
})

function responseOf(message: RecordedMessage, detail: Api.CallDetail): object {
  const {response, status, responseBytes, marks, isTruncated} = detail
  const {line, headers, body, encoding, isUnmasked = false} = response
  const [, code = '0', statusText = ''] = /^\S+ (\d+) ?(.*)$/.exec(line) ?? []
  return {
    status: marks.includes('grpc') ? Number(code) : status,
    statusText,
    httpVersion: versionOf(detail),
    cookies: [],
    headers: headersOf(response),
    content: {
      size: message.body.length < responseBytes ? responseBytes : plainBody(message, MAX_PLAIN).length,
      mimeType: headerValue(message.headers, 'content-type') || 'x-unknown',
      ...(body === '' ? {} : {text: body}),
      ...(encoding === 'base64' ? {encoding} : {}),
      ...((isTruncated || isUnmasked) && {comment: isTruncated ? 'a part of the bodies is not kept' : UNMASKED})
    },
    redirectURL: headers.find(([name]) => name.toLowerCase() === 'location')?.[1] ?? '',
    headersSize: sizeOf(message),
    bodySize: responseBytes
  }
}

const headersOf = ({headers}: Api.Message): readonly object[] => headers.map(([name, value]) => ({name, value}))

/** Returns the size of a head with its empty line; -1 without a head. */
const sizeOf = ({head}: RecordedMessage): number => (head === '' ? -1 : head.length + 4)

/** Returns an absolute URL, as HAR requires, with the host that the caller named. */
function urlOf({headers}: RecordedMessage, {target, to, isKept}: Api.CallDetail): string {
  if (!isKept) return `http://${encodeURIComponent(to)}/`
  if (/^https?:\/\//i.test(target)) return escaped(target)
  const host = headerValue(headers, 'host')
  const authority = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i.test(host) ? host : 'localhost'
  return escaped(`http://${authority}${target.startsWith('/') ? '' : '/'}${target}`)
}

/** Escapes everything that RFC 3986 does not allow in a URI. */
const escaped = (text: string): string =>
  text.replace(
    /[^\w.~:/?#[\]@!$&'()*+,;=%-]|%(?![\da-f]{2})/gi,
    character => `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`
  )

/** Returns names and values as written in the target, not decoded. */
function queryOf(target: string): readonly object[] {
  const query = target.includes('?') ? target.slice(target.indexOf('?') + 1) : ''
  return query
    .split('&')
    .filter(each => each !== '')
    .map(each => {
      const end = each.includes('=') ? each.indexOf('=') : each.length
      return {name: each.slice(0, end), value: each.slice(end + 1)}
    })
}

/** Returns the spans of a trace. Log records become events of the span that they name: HAR has no other place for them. */
function spansWithLogs({spans, logs}: Pick<JoinedTrace, 'spans' | 'logs'>): readonly ReceivedSpan[] {
  const bySpan = Map.groupBy(logs, ({spanId}) => spanId)
  return spans.map(span => {
    const own = bySpan.get(span.spanId)
    if (own === undefined) return span
    const {events = [], ...details} = spanDetails(span)
    return {...span, details: JSON.stringify({...details, events: [...events, ...own.map(log => logEvent(log, span))]})}
  })
}

/** Returns a log record as an event of a span, with the names of OpenTelemetry's semantic conventions. */
function logEvent({at, severity, text, exception}: ReceivedLog, {startedAt}: ReceivedSpan) {
  const attributes: (readonly [string, string])[] = [
    ['log.body', text],
    ['log.severity_number', severity.toString()]
  ]
  if (exception !== '') {
    const {type, message, stack} = JSON.parse(exception) as SpanException
    attributes.push(['exception.type', type], ['exception.message', message], ['exception.stacktrace', stack])
  }
  return {name: 'log', at: at - startedAt, attributes: attributes satisfies Attributes}
}

/** Returns a function that finds the spans of a call: those that describe it, and those within it, but not within a call below. */
export function spansByCall({links, spans}: Pick<Gathered, 'links' | 'spans'>) {
  const found = new Map<string, ReadonlyMap<number | undefined, readonly ReceivedSpan[]>>()
  const callOf = (trace: JoinedTrace, span: ReceivedSpan): number | undefined => {
    let number = trace.callAround(span)
    // a number below 0 is a use of a component, or a step of a workflow
    while (number !== undefined && number < 0) number = links.of(number)?.parent
    return number
  }
  return (number: number, traceId: string): readonly ReceivedSpan[] => {
    const trace = spans?.of(traceId)
    if (trace === undefined) return []
    const byCall = found.get(traceId) ?? Map.groupBy(spansWithLogs(trace), span => callOf(trace, span))
    found.set(traceId, byCall)
    return byCall.get(number) ?? []
  }
}
