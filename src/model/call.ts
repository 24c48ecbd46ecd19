import type {Protocol} from './call-protocol.ts'
import type {ResiliencyEvent} from './resiliency-event.ts'

/** The caller where nothing else is known: no app of the run. */
export const OUTSIDE = 'outside'

/** The decision of access control about a call. */
export interface AccessDecision {
  readonly isAllowed: boolean
  /** The policy for this caller, or the global default. */
  readonly by: 'app' | 'global'
  /** The rule that decided, with its place. */
  readonly rule: string
}

/**
 * A request from one app to another, made once for each call and never copied: queues and observers know a call by this
 * object, and some of them write to it.
 */
export interface Call {
  /** App id of the caller. At a published port it is set while the call is under way (`CallObserver.attributed`). */
  caller: string
  /** App id, name of an HTTPEndpoint, or an absolute URL. */
  readonly callee: string
  readonly method: string
  /** The path as it is sent to the callee: escaped, with the query. */
  readonly path: string
  /** A gRPC call that is passed on unchanged (Dapr's proxy): `appMaxConcurrency` and app health do not apply to it. */
  readonly isProxied?: boolean
  /** The call uses gRPC and has no `stream`. */
  readonly isGrpc?: boolean
  /** A request of the sidecar to its own app: internal, and not reported to users as lost. */
  readonly isOwn?: boolean
  /** The caller in the record, if that is no app: a topic, a binding, `pillion invoke`. */
  readonly from?: string | undefined
  /** The type of the actor that is called, or whose timer or reminder fires. */
  readonly actor?: string
  /** A copy for a shadow: its response is discarded. */
  readonly isShadow?: boolean
  /** The target as the caller named it, where policies go by that: with its namespace; left out: `callee`. */
  readonly target?: string
  /** Set when the callee of this run that has access control is asked. */
  access?: AccessDecision
  /** Set by the observer: its number in the run; 0 or left out: it is not recorded. */
  number?: number
  /** Its response has the header `Pillion-Call`: its caller is a program of this machine and not an app. */
  isNumbered?: boolean
  /** Cost of the answer of a language model, once it has come. */
  tokens?: {readonly prompt: number; readonly completion: number}
  /** Set when its callee was asleep, and is started for it. */
  hasWoken?: boolean
  /** Set when a fault hits it: the number of that rule. */
  fault?: number
  /** The request as its caller sent it; left out: it came in another way. */
  readonly sent?: SentRequest
  /** The call came at the port at which the callee is called without Dapr's API (`port`). */
  readonly isPublished?: boolean
  /** The call is a connection that carries any bytes, as after an upgrade. */
  readonly isTunnel?: boolean
  /** Set for gRPC and for tunnels: the call may be a stream without end. */
  readonly stream?: OpenStream
}

/** A call that may be a stream without end: a reload or a stop does not wait for it. */
export interface OpenStream {
  /** The request is still open after its first message, or a message of the response has been passed on. */
  readonly isStream: boolean
  /** Ends it in a way that makes the caller open it again. */
  endStream(): void
  /** Called when it may have become a stream. */
  changed: (() => void) | undefined
}

/** The request as the caller sent it, without a copy. To read one header, search the lines. */
export interface SentRequest {
  /** Protocol of the caller; `none` for requests of the sidecar itself. */
  readonly protocol: Protocol
  readonly method: string
  /** The path without the query. */
  readonly path: string
  /** `name: value\r\n` each, latin1. */
  readonly lines: string
  /** The `traceparent` of its caller, where the lines have none: of a call of gRPC; '' = none. Left out: see the lines. */
  readonly trace?: string
  /** Path and query as sent. Default: those of the call. */
  readonly target?: string
  /** Latin1 text that begins with the whole head, as it came, and the length of that; left out: it did not come as text. */
  readonly text?: string
  readonly size?: number
}

/** Latin1 text that begins with the head of a response, as the callee sent it, and the length of that. */
export interface HeadText {
  readonly text: string
  readonly size: number
}

/** A response in place of the callee's: latin1 text. */
export interface OwnResponse {
  readonly head: string
  readonly body: string
}

/** An attempt of a call that was followed by another one. */
export interface CallAttempt {
  /** Status of its response, a gRPC code if the app was called over gRPC; 0: there was no response. */
  readonly status: number
  readonly admittedAt: number
  readonly endedAt: number
  readonly isRemote: boolean
}

/**
 * The outcome of a call, from its journal (`proxy/net/call-journal.ts`). Times are those of `performance.now()`, in ms; 0: that point was
 * not reached.
 */
export interface CallRecord {
  readonly call: Call
  readonly request: SentRequest
  /** The status that the caller received; 0: none. */
  readonly status: number
  /** The gRPC status code that the call ended with; undefined: it is not a gRPC call. */
  readonly grpcStatus: number | undefined
  /** The gRPC method by which the app was called; undefined: it was called over HTTP. */
  readonly calleeMethod: string | undefined
  /** The caller has said that it is a stream (`dapr-stream`). */
  readonly isStream: boolean
  /** How often the request was sent. */
  readonly attempts: number
  /** The admitted attempts before the last one; undefined: there were none. */
  readonly earlier: readonly CallAttempt[] | undefined
  /** Whether another attempt followed this one; if so, only the sidecar of the callee counts it. */
  readonly isFollowed: boolean
  /** Decisions of timeouts, retries and circuit breakers, in this order, if there are any. */
  readonly decisions: readonly ResiliencyEvent[] | undefined
  readonly startedAt: number
  /** The time at which the admission queue admitted the last attempt. */
  readonly admittedAt: number
  /** The time at which the last attempt had a connection to the callee. */
  readonly connectedAt: number
  readonly firstByteAt: number
  readonly endedAt: number
  /** Bytes of the bodies. */
  readonly requestBytes: number
  /** The call ended before all of the request's chunks had arrived. */
  readonly isCutShort: boolean
  readonly responseBytes: number
  /** The call went to another app, through that app's sidecar. */
  readonly isRemote: boolean
  /** Spans of the call. Undefined if tracing is off. */
  readonly spans: CallSpans | undefined
  /** The `traceparent` sent to the callee, as a header line; '' if the caller's was passed on unchanged. */
  readonly trace: string
  /** Why it failed; '' if it did not. */
  readonly failure: string
}

/** The place of a span in a trace (W3C Trace Context). */
export interface TraceContext {
  /** 32 digits, not all 0. */
  readonly traceId: string
  /** 16 digits, not all 0. */
  readonly spanId: string
  /** A byte; the lowest bit is set if the span is recorded. */
  readonly flags: number
  /** Valid state of the trace; may be empty. */
  readonly tracestate: string
}

/** A span of a trace that has begun. */
export interface CallSpan {
  readonly context: TraceContext
  /** Id of the parent span; empty for the first span of a trace. */
  readonly parentSpanId: string
  /** The span is exported when it is over. */
  readonly isSampled: boolean
}

/** The spans of a call. */
export interface CallSpans {
  /** Span of the sidecar that took the call. */
  readonly own: CallSpan
  /** Span of the callee's sidecar; undefined: the call did not reach one of this run. */
  readonly callee: CallSpan | undefined
  /** Actor that a gRPC message names. The reader of the message sets it. */
  actor?: SpanActor | undefined
}

/** The actor that a request is about. */
export interface SpanActor {
  readonly type: string
  readonly id: string
  /** Called method or other operation: `CallActor/TYPE/pay`, `GetActorState/TYPE`. */
  readonly name: string
}

/** The app was called by a method of gRPC for a caller of HTTP. */
export interface GrpcInvocation {
  readonly method: string
  readonly code: number
  readonly elapsedMs: number
  /** Size of the request message. */
  readonly requestBytes: number
  readonly responseBytes: number
}

/** The process that a call is sent to, and how. */
export interface AdmittedTo {
  /** 0 if the process is not known. */
  readonly pid: number
  /** `none` if the callee is not called over a connection. */
  readonly protocol: Protocol
}

/** Called with each call that is over; must not throw. */
export type Recorded = (record: CallRecord) => void

export type Direction = 'request' | 'response'

/**
 * Observes every call in flight. A run has at most one; without it, each of these places costs one comparison.
 * An observer must not throw, and must copy the bytes that it keeps.
 */
export interface CallObserver {
  /** The call started at this time of `performance.now()`. */
  started(call: Call, request: SentRequest, startedAt: number): void
  /** The call waits in the queue of its callee, for this reason. */
  held(call: Call, reason: string): void
  /** The caller is known now: `call.caller`. */
  attributed?(call: Call): void
  /** The admission queue admitted the call after this wait. */
  admitted(call: Call, to: AdmittedTo, waitedMs: number): void
  /** A response of the callee has begun. `body`: latin1 text, if all of it is there already; often it follows the head in one text. */
  responded(call: Call, head: HeadText, body?: string): void
  /** We respond in place of the callee. */
  replied(call: Call, response: OwnResponse): void
  /** Part of a body is passed on: the bytes of `buffer` from `from` up to `to`. */
  bytes(call: Call, direction: Direction, buffer: Buffer, from: number, to: number): void
  /** As `bytes`, with latin1 text. */
  text(call: Call, direction: Direction, text: string): void
  /** Returns how many bytes of a body are kept. Left out: none. */
  roomFor?(call: Call): number
  ended(record: CallRecord): void
  /** An app has used a component. */
  used?(use: ComponentUse): void
}

/** Use of a component by an app: a read of state, a published event, a call of a binding. Times are those of `performance.now()`, in ms. */
export interface ComponentUse {
  readonly app: string
  readonly block: string
  readonly component: string
  /** The operation; for a broker, the topic. */
  readonly operation: string
  readonly startedAt: number
  readonly totalMs: number
  /** Why it failed; '' = it did not. */
  readonly failure: string
  /** Id of the published event; '' = none. */
  readonly event: string
  /** The traceparent of the call it belongs to; '' = not known. */
  readonly traceparent: string
}
