import type {SpanException} from '../../../model/api.generated.ts'
import {spanDetails, type Attributes, type ReceivedLog, type ReceivedSpan} from '../../telemetry/otlp/received.ts'
import type {Gathered} from '../trace/gather.ts'
import type {JoinedTrace} from '../trace/join-spans.ts'

/** The spans of a trace, each with the log records that name it among its events: HAR has no other place for them. */
function spansWithLogs({spans, logs}: Pick<JoinedTrace, 'spans' | 'logs'>): readonly ReceivedSpan[] {
  const bySpan = Map.groupBy(logs, ({spanId}) => spanId)
  return spans.map(span => {
    const own = bySpan.get(span.spanId)
    if (own === undefined) return span
    const {events = [], ...details} = spanDetails(span)
    return {...span, details: JSON.stringify({...details, events: [...events, ...own.map(log => logEvent(log, span))]})}
  })
}

/** Named as OpenTelemetry's semantic conventions name the parts of a log record and of an exception. */
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

/** Finds the spans of a call: spans for the call itself, and spans in it but in no other call. */
export function spansByCall({links, spans}: Pick<Gathered, 'links' | 'spans'>) {
  const found = new Map<string, ReadonlyMap<number | undefined, readonly ReceivedSpan[]>>()
  const callOf = (trace: JoinedTrace, span: ReceivedSpan): number | undefined => {
    let number = trace.callAround(span)
    // the use of a component, or a step of a workflow
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
