import type {Protocol} from './call-protocol.ts'
import type {ResiliencyEvent} from './resiliency-event.ts'

/** Name of the caller if it is not an app of the run. */
export const OUTSIDE = 'outside'

/** The decision of access control about a call. */
export interface AccessDecision {
  readonly isAllowed: boolean
  /** The policy for this caller, or the global default. */
  readonly by: 'app' | 'global'
  /** The rule that decided, with its place. */
  readonly rule: string
}

/** A request from one app to another. Each call is one object that is never copied: queues and observers identify the call by it, and some write to it. */
export interface Call {
  /** App id of the caller. At a published port it is set while the call is under way (`CallObserver.attributed`). */
  caller: string
  /** App id, name of an HTTPEndpoint, or an absolute URL. */
  readonly callee: string
  readonly method: string
  /** The path as it is sent to the callee: escaped, with the query. */
  readonly path: string
  /** Whether the call is a gRPC call that is passed on unchanged (Dapr's proxy), without `appMaxConcurrency` and app health. */
  readonly isProxied?: boolean
  /** The call uses gRPC and has no `stream`. */
  readonly isGrpc?: boolean
  /** A request of the sidecar to its own app: internal, and not reported to users as lost. */
  readonly isOwn?: boolean
  /** Name of the caller in the record if it is not an app: a topic, a binding, `pillion invoke`. */
  readonly from?: string | undefined
  /** The type of the actor that is called, or whose timer or reminder fires. */
  readonly actor?: string
  /** A copy for a shadow: its response is discarded. */
  readonly isShadow?: boolean
  /** The target with its namespace, as policies read it. Default: `callee`. */
  readonly target?: string
  /** Set when the callee of this run that has access control is asked. */
  access?: AccessDecision
  /** Its number in the run, set by the observer. Omitted or 0: not recorded. */
  number?: number
  /** Whether its response gets the header `Pillion-Call`: the caller is a program of this machine and not an app. */
  isNumbered?: boolean
  /** Tokens of a language model's answer, once known. */
  tokens?: {readonly prompt: number; readonly completion: number}
  /** Whether the callee was asleep, and was started for the call. */
  hasWoken?: boolean
  /** Number of the fault rule that applied to the call. */
  fault?: number
  /** The caller's request. Omitted if there is no request of a caller. */
  readonly sent?: SentRequest
  /** Whether the call used the callee's `port`, without Dapr's API. */
  readonly isPublished?: boolean
  /** The call is a connection that carries any bytes, as after an upgrade. */
  readonly isTunnel?: boolean
  /** Set for gRPC and for tunnels: the call may be a stream without end. */
  readonly stream?: OpenStream
}

/** A call that may be an endless stream. A reload or a stop does not wait for such a stream. */
export interface OpenStream {
  /** The request is still open after its first message, or a message of the response has been passed on. */
  readonly isStream: boolean
  /** Ends the stream in a way that makes its caller open it again. */
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
  /** The caller's `traceparent`, if the lines have none, as with gRPC; may be empty. Default: the value in the lines. */
  readonly trace?: string
  /** Path and query as sent. Default: those of the call. */
  readonly target?: string
  /** Latin1 text that begins with the whole head as received, and the length of the head. Omitted if the request was not received as text. */
  readonly text?: string
  readonly size?: number
}

/** Latin1 text that begins with the callee's response head, and the length of the head. */
export interface HeadText {
  readonly text: string
  readonly size: number
}

/** A response in place of the callee's: latin1 text. */
export interface OwnResponse {
  readonly head: string
  readonly body: string
}

/** An attempt before the last one. */
export interface CallAttempt {
  /** Status of its response; a gRPC code for a callee of gRPC. 0: no response. */
  readonly status: number
  readonly admittedAt: number
  readonly endedAt: number
  readonly isRemote: boolean
}

/** The outcome of a call, from its journal (`proxy/net/call-journal.ts`). Times are those of `performance.now()`, in ms; 0: never reached. */
export interface CallRecord {
  readonly call: Call
  readonly request: SentRequest
  /** The status that the caller received; 0: none. */
  readonly status: number
  /** The gRPC status code that the call ended with. Undefined if it is not a gRPC call. */
  readonly grpcStatus: number | undefined
  /** The gRPC method by which the app was called. Undefined if it was called over HTTP. */
  readonly calleeMethod: string | undefined
  /** Whether the caller declared a stream (`dapr-stream`). */
  readonly isStream: boolean
  /** How often the request was sent. */
  readonly attempts: number
  /** The admitted attempts before the last one. Undefined if there were none. */
  readonly earlier: readonly CallAttempt[] | undefined
  /** Whether another attempt followed. Then only the sidecar of the callee counts this one. */
  readonly isFollowed: boolean
  /** Decisions of timeouts, retries and circuit breakers, in order, if there are any. */
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
  /** Whether the call went through the sidecar of another app. */
  readonly isRemote: boolean
  /** Spans of the call. Undefined if tracing is off. */
  readonly spans: CallSpans | undefined
  /** The `traceparent` sent to the callee, as a header line; empty if the caller's was passed on unchanged. */
  readonly trace: string
  /** Reason of the failure; empty without one. */
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

export interface CallSpans {
  /** Span of the sidecar that took the call. */
  readonly own: CallSpan
  /** Span of the callee's sidecar. Undefined if the call did not reach a sidecar of this run. */
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

/** Observer of every call in flight. A run has at most one; without it each place costs one comparison. An observer must not throw, and must copy the bytes that it keeps. */
export interface CallObserver {
  /** The call started at this time of `performance.now()`. */
  started(call: Call, request: SentRequest, startedAt: number): void
  /** The call waits in the queue of its callee, for this reason. */
  held(call: Call, reason: string): void
  /** Called when the caller is known: `call.caller`. */
  attributed?(call: Call): void
  /** The admission queue admitted the call after this wait. */
  admitted(call: Call, to: AdmittedTo, waitedMs: number): void
  /** Called when a response of the callee begins. `body`: the whole body as latin1 text, if it has arrived with the head. */
  responded(call: Call, head: HeadText, body?: string): void
  /** We respond in place of the callee. */
  replied(call: Call, response: OwnResponse): void
  /** Part of a body is passed on: the bytes of `buffer` from `from` up to `to`. */
  bytes(call: Call, direction: Direction, buffer: Buffer, from: number, to: number): void
  /** As `bytes`, with latin1 text. */
  text(call: Call, direction: Direction, text: string): void
  /** Returns how many bytes of a body to keep. Default: none. */
  roomFor?(call: Call): number
  ended(record: CallRecord): void
  used?(use: ComponentUse): void
}

/** A use of a component by an app: a read of state, a published event, a call of a binding. Times are those of `performance.now()`, in ms. */
export interface ComponentUse {
  readonly app: string
  readonly block: string
  readonly component: string
  /** The operation; for a broker, the topic. */
  readonly operation: string
  readonly startedAt: number
  readonly totalMs: number
  /** Reason of the failure; empty without one. */
  readonly failure: string
  /** Id of the published event; may be empty. */
  readonly event: string
  /** Traceparent of the call that used the component; empty if unknown. */
  readonly traceparent: string
}
