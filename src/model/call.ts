import type {Protocol} from './call-protocol.ts'
import type {ResiliencyEvent} from './resiliency-event.ts'

/** Name of the caller if it is not an app of the run. */
export const OUTSIDE = 'outside'

/** The decision of Dapr's access control about a call. */
export interface AccessDecision {
  readonly isAllowed: boolean
  /** The policy for this caller, or the global default. */
  readonly by: 'app' | 'global'
  /** The rule that decided, with its place. */
  readonly rule: string
}

/** A request from one app to another. Queues and observers compare calls by identity, and write to them: never copy one. */
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
  /** Whether the call uses gRPC and has no `stream`. */
  readonly isGrpc?: boolean
  /** Whether it is a request of the sidecar to its own app. Users do not see such a call as lost. */
  readonly isOwn?: boolean
  /** Name of the caller in the record if it is not an app: a topic, a binding, `pillion invoke`. */
  readonly from?: string | undefined
  /** The type of the actor that is called, or whose timer or reminder fires. */
  readonly actor?: string
  /** Whether it is a copy for a shadow version, whose response is discarded. */
  readonly isShadow?: boolean
  /** The target with its namespace, as policies read it. Default: `callee`. */
  readonly target?: string
  /** The decision of the callee's access control. Omitted: the callee has none, or was not asked. */
  access?: AccessDecision
  /** Its number in the run, which the observer sets. Omitted, 0: not recorded. */
  number?: number
  /** Whether its response gets the header `Pillion-Call`: the caller is a program of this machine and not an app. */
  isNumbered?: boolean
  /** Tokens of a language model's answer, once known. */
  tokens?: {readonly prompt: number; readonly completion: number}
  /** Whether the callee was asleep, and was started for the call. */
  hasWoken?: boolean
  /** Number of the fault rule that applied. Omitted: none. */
  fault?: number
  /** The caller's request. Omitted: the sidecar itself calls. */
  readonly sent?: SentRequest
  /** Whether the call used the callee's `port`, without Dapr's API. */
  readonly isPublished?: boolean
  /** Whether the call is a connection with bytes of any protocol, as after an upgrade. */
  readonly isTunnel?: boolean
  /** Present for gRPC and tunnels: the call may be an endless stream. */
  readonly stream?: OpenStream
}

/** A call that may be an endless stream. A reload or a stop does not wait for such a stream. */
export interface OpenStream {
  /** Whether the request is still open after its first message, or a message of the response was passed on. */
  readonly isStream: boolean
  /** Ends the stream in a way that makes its caller open it again. */
  endStream(): void
  /** Called when `isStream` may have become true. */
  changed: (() => void) | undefined
}

/** The request as the caller sent it. Refers to received text without a copy: to read a header, search `lines`. */
export interface SentRequest {
  /** Protocol of the caller; `none` for requests of the sidecar itself. */
  readonly protocol: Protocol
  readonly method: string
  /** The path without the query. */
  readonly path: string
  /** `name: value\r\n` each, latin1. */
  readonly lines: string
  /** The caller's `traceparent`, if `lines` do not contain it, as with gRPC; '': none. Default: the value in `lines`. */
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

/** An attempt that a retry followed. */
export interface CallAttempt {
  /** Status of its response, a gRPC code for a callee with gRPC; 0: no response. */
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
  /** The gRPC status code of the call; undefined: not a gRPC call. */
  readonly grpcStatus: number | undefined
  /** The gRPC method by which the app was called; undefined: it was called over HTTP. */
  readonly calleeMethod: string | undefined
  /** Whether the caller declared a stream (`dapr-stream`). */
  readonly isStream: boolean
  /** Number of times that the request was sent. */
  readonly attempts: number
  /** The admitted attempts before the last one; undefined: none. */
  readonly earlier: readonly CallAttempt[] | undefined
  /** Whether another attempt followed. Then only the sidecar of the callee counts this one. */
  readonly isFollowed: boolean
  /** Decisions of timeouts, retries and circuit breakers, in order; undefined: none. */
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
  /** Whether the call ended before the whole request had arrived. */
  readonly isCutShort: boolean
  readonly responseBytes: number
  /** Whether the call went through the sidecar of another app. */
  readonly isRemote: boolean
  /** Spans of the call; undefined: tracing is off. */
  readonly spans: CallSpans | undefined
  /** The `traceparent` sent to the callee, as a header line; '': the caller's, unchanged. */
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
  /** A byte, whose lowest bit means that the span is recorded. */
  readonly flags: number
  /** A valid `tracestate`; '': none. */
  readonly tracestate: string
}

/** A span of a trace that has begun. */
export interface CallSpan {
  readonly context: TraceContext
  /** Id of the parent span; '': the first span of a trace. */
  readonly parentSpanId: string
  /** Whether the span is exported when it ends. */
  readonly isSampled: boolean
}

export interface CallSpans {
  /** Span of the sidecar that received the call. */
  readonly own: CallSpan
  /** Span of the callee's sidecar; undefined: the call did not reach a sidecar of this run. */
  readonly callee: CallSpan | undefined
  /** Actor that a gRPC message names. The reader of the message sets it. */
  actor?: SpanActor | undefined
}

/** The actor that a request is about. */
export interface SpanActor {
  readonly type: string
  readonly id: string
  /** Name of the operation: `CallActor/TYPE/pay`, `GetActorState/TYPE`. */
  readonly name: string
}

/** The gRPC request by which an app was called for a caller with HTTP. */
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
  /** Id of the process; 0: unknown. */
  readonly pid: number
  /** `none`: the callee is not called over a connection. */
  readonly protocol: Protocol
}

/** Called at the end of each call. Must not throw. */
export type Recorded = (record: CallRecord) => void

export type Direction = 'request' | 'response'

/** The recorder of a run, if it has one, which sees each call in flight. An observer must not throw, and must copy the bytes that it keeps. */
export interface CallObserver {
  /** Called at the start of a call. `startedAt`: by `performance.now()`. */
  started(call: Call, request: SentRequest, startedAt: number): void
  /** Called when the call begins to wait in the queue of its callee. */
  held(call: Call, reason: string): void
  /** Called when the caller is known: `call.caller`. */
  attributed?(call: Call): void
  /** Called when the admission queue admits the call. */
  admitted(call: Call, to: AdmittedTo, waitedMs: number): void
  /** Called when a response of the callee begins. `body`: the whole body as latin1 text, if it has arrived with the head. */
  responded(call: Call, head: HeadText, body?: string): void
  /** Called when the sidecar responds in place of the callee. */
  replied(call: Call, response: OwnResponse): void
  /** Called when a part of a body is passed on: the bytes of `buffer` from `from` up to `to`. */
  bytes(call: Call, direction: Direction, buffer: Buffer, from: number, to: number): void
  /** Like `bytes`, for latin1 text. */
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
  /** Reason of the failure; '': none. */
  readonly failure: string
  /** Id of the published event; '': none. */
  readonly event: string
  /** Traceparent of the call that used the component; '': unknown. */
  readonly traceparent: string
}
