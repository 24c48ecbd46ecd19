import {encodeField} from '#h2-frames'
import type {CallSpan, CallSpans, SpanActor} from '../../../model/call.ts'
import {ACTORS} from '../../../model/dapr/api/blocks.ts'
import {freshTrace, type FreshTrace} from '../../../proxy/net/grpc/fresh-traces.ts'
import {readStrings} from '../../../proxy/net/grpc/invoke-messages.ts'
import {traceFields, traceparentOf} from '../../../proxy/net/grpc/trace-fields.ts'
import {formatTraceparent, formatTracestate} from '../../../observe/telemetry/tracing/trace-context.ts'
import type {Tracing} from '../http/sidecar-request.ts'
import {freshTraceparent, isTraceparent, type Trace} from '../http/trace.ts'
import type {RequestHead} from './request-head.ts'

type SentTrace = Pick<RequestHead, 'traceparent' | 'traceBin'>

/** Returns the trace of a caller, first the binary form; '': no valid one. */
const givenTrace = ({traceBin, traceparent}: SentTrace): string => {
  const given = traceBin === '' ? '' : traceparentOf(traceBin)
  if (given !== '' && isTraceparent(given)) return given
  return traceparent !== '' && isTraceparent(traceparent) ? traceparent : ''
}

/** Returns the trace as sent, for an app of HTTP: `traceparent`, or the value of `grpc-trace-bin`. */
export const sentTrace = (head: SentTrace): string => head.traceparent || givenTrace(head)

/** Returns the trace of a call without spans: that of the caller, or a new one. */
export const grpcTraceOf = (head: RequestHead): FreshTrace => {
  const traceparent = givenTrace(head)
  return traceparent === '' ? freshTrace() : {traceparent, fields: traceFields(traceparent)}
}

/** Returns the trace to pass on: the call's span, else the caller's trace, else a new one. */
export const traceFor = (head: RequestHead, spans: CallSpans | undefined): Trace => {
  if (spans !== undefined)
    return {traceparent: formatTraceparent(spans.own.context), tracestate: formatTracestate(spans.own.context)}
  const given = givenTrace(head)
  return given === ''
    ? {traceparent: freshTraceparent(), tracestate: ''}
    : {traceparent: given, tracestate: head.tracestate}
}

/** Returns the spans of a call, the callee's sidecar below the caller's, if any. */
export const spansOf = (head: RequestHead, {tracer}: Tracing): CallSpans | undefined => {
  if (tracer === undefined) return undefined
  const own = tracer.start(givenTrace(head), head.tracestate)
  return {own, callee: tracer.startChild(own)}
}

/** The trace of a span in both of its forms, as fields. */
export const spanFields = ({context}: CallSpan): string =>
  traceStateFields(formatTraceparent(context), formatTracestate(context))

/** A sidecar's answer repeats the baggage of a call, which has been checked. */
export const baggageFields = ({baggage}: RequestHead, {isTracing}: Tracing): string =>
  isTracing && baggage !== '' ? encodeField('baggage', baggage) : ''

export const traceStateFields = (traceparent: string, tracestate: string): string =>
  traceFields(traceparent) + (tracestate === '' ? '' : encodeField('tracestate', tracestate))

/** Returns the actor of a message, if any. Messages of all methods for actors begin with its type and id. */
export function actorIn(path: string, message: Uint8Array): SpanActor | undefined {
  const operation = path.slice(path.lastIndexOf('/') + 1)
  if (!Object.hasOwn(ACTORS.operations, operation)) return undefined
  const isCall = operation === 'InvokeActor'
  const [type = '', id = '', method = ''] = readStrings(message, isCall ? [1, 2, 3] : [1, 2])
  return {type, id, name: isCall ? `CallActor/${type}/${method}` : `${operation}/${type}`}
}
