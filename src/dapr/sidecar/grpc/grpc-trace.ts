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

/** Returns the `traceparent` of a caller, from `grpc-trace-bin` or else from `traceparent`; '': neither is valid. */
const givenTrace = ({traceBin, traceparent}: SentTrace): string => {
  const given = traceBin === '' ? '' : traceparentOf(traceBin)
  if (given !== '' && isTraceparent(given)) return given
  return traceparent !== '' && isTraceparent(traceparent) ? traceparent : ''
}

/** Returns the caller's `traceparent` as sent, even if invalid, else the value of `grpc-trace-bin` as a `traceparent`. */
export const sentTrace = (head: SentTrace): string => head.traceparent || givenTrace(head)

/** Returns the trace to pass on for a call without spans: the caller's, else a new one. */
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

/** Starts the spans of a call: its own, and below it the span of the callee's sidecar; undefined: spans are off. */
export const spansOf = (head: RequestHead, {tracer}: Tracing): CallSpans | undefined => {
  if (tracer === undefined) return undefined
  const own = tracer.start(givenTrace(head), head.tracestate)
  return {own, callee: tracer.startChild(own)}
}

/** Returns the trace of a span as fields: `traceparent`, `grpc-trace-bin` and `tracestate`. */
export const spanFields = ({context}: CallSpan): string =>
  traceStateFields(formatTraceparent(context), formatTracestate(context))

/** Returns the caller's baggage as a field of the answer; '': tracing is off, or the caller sent none. */
export const baggageFields = ({baggage}: RequestHead, {isTracing}: Tracing): string =>
  isTracing && baggage !== '' ? encodeField('baggage', baggage) : ''

export const traceStateFields = (traceparent: string, tracestate: string): string =>
  traceFields(traceparent) + (tracestate === '' ? '' : encodeField('tracestate', tracestate))

/** Returns the actor that a message names; undefined: the method is not for actors. All of these messages begin with type and id. */
export function actorIn(path: string, message: Uint8Array): SpanActor | undefined {
  const operation = path.slice(path.lastIndexOf('/') + 1)
  if (!Object.hasOwn(ACTORS.operations, operation)) return undefined
  const isCall = operation === 'InvokeActor'
  const [type = '', id = '', method = ''] = readStrings(message, isCall ? [1, 2, 3] : [1, 2])
  return {type, id, name: isCall ? `CallActor/${type}/${method}` : `${operation}/${type}`}
}
