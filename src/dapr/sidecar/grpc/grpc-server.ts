import {setMaxListeners} from 'node:events'
import type net from 'node:net'
import {
  encodeField,
  FrameServer,
  type FrameStream,
  type StreamHandler,
  FRAME_SIZE_ERROR,
  INTERNAL_ERROR,
  PROTOCOL_ERROR
} from '#h2-frames'
import type {Call, CallSpans} from '../../../model/call.ts'
import {messageOf, bugText} from '../../../model/errors.ts'
import {codeText} from '../../../model/grpc-code.ts'
import {RUNTIME_VERSION} from '../../../model/version.ts'
import type {CallJournal} from '../../../proxy/net/call-journal.ts'
import type {ApiAccess} from '../../../files/resources/dapr-configuration.ts'
import type {SidecarContext} from '../http/invocation.ts'
import {beginOwn, endOwn} from '../http/own-record.ts'
import type {HostContext} from '../sidecar.ts'
import {methodFault} from '../http/target.ts'
import type {Trace} from '../http/trace.ts'
import {
  DAPR,
  isMethodServed,
  NOT_SERVED,
  RUNTIME_PATHS,
  ownMethod,
  ownStream,
  type OwnAnswer,
  type OwnMethod,
  type OwnMethodsContext,
  type OwnStreamName,
  serveStream
} from './own-methods.ts'
import {actorIn, baggageFields, spansOf, traceFor, traceStateFields} from './grpc-trace.ts'
import {invokeService} from './invoke-service.ts'
import {INVOKE_SERVICE} from './invoked-grpc-call.ts'
import {ProxiedGrpcCall} from './proxied-grpc-call.ts'
import {PAGE_DENIED, refusalOf, type GrpcGuards} from './refusal.ts'
import {answerType, HeadReader, type RequestHead, type ReceivedCall} from './request-head.ts'
import {briefRequest, wholeRequest} from './sent-request.ts'
import {ServerStream} from './server-stream.ts'
import {answer, UnaryRequest, type WholeAnswer} from './unary-call.ts'
import {tooLargeToSend} from '../../../proxy/net/grpc/message-gauge.ts'
import {
  answerHead,
  INTERNAL,
  INVALID_ARGUMENT,
  OK,
  RESOURCE_EXHAUSTED,
  trailersOf,
  UNIMPLEMENTED,
  UNKNOWN,
  type GrpcStatus
} from '../../../proxy/net/grpc/status.ts'
import {timeoutMs} from '../../../proxy/net/grpc/head-fields.ts'

/** The parts of a sidecar that its gRPC port needs. */
export interface GrpcContext {
  readonly sidecar: HostContext
  readonly guards: GrpcGuards
  readonly maxHeadBytes: number
  /** Returns the `appProtocol` of an app of the run; `http`: an external endpoint; '': another id. */
  readonly protocolOf: (callee: string) => string
  readonly own: OwnMethodsContext
  /** Returns the API access rules of the Configuration; undefined: all APIs are served. */
  readonly apiAccess: () => ApiAccess | undefined
}

/** The connection of a client. */
interface Peer {
  readonly socket: net.Socket
  readonly isUnixSocket: boolean
  /** Aborted when the sidecar closes, and accepts no new calls. */
  readonly closing: AbortSignal
}

/** The result of a call that the sidecar has answered itself, for its record. */
interface Answered {
  readonly status: GrpcStatus
  /** Omitted: 200. */
  readonly httpStatus?: number
  readonly requestBytes: number
  readonly responseBytes: number
}

/** Delay between two checks for idle connections, in ms. */
const CHECK_MS = 10_000
/** Number of checks after which an idle connection gets GOAWAY (Dapr: after 3 minutes). */
const MAX_IDLE_CHECKS = 18

const IS_REFLECTION = /^\/grpc\.reflection\.v1(?:alpha)?\.ServerReflection\//

/** Serves the connections to the gRPC port of one sidecar, and ends idle ones. */
export class GrpcServer {
  readonly #context: GrpcContext
  /** The open connections, each with the number of checks that found it idle in a row. */
  readonly #connections = new Map<FrameServer, number>()
  /** Called when the last connection has closed. */
  readonly #whenEmpty: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  readonly #closing = new AbortController()

  constructor(context: GrpcContext) {
    this.#context = context
    // each stream that the sidecar serves adds a listener
    setMaxListeners(0, this.#closing.signal)
  }

  /** Serves a connection. Its client was sent the settings of HTTP/2 already. */
  serve(socket: net.Socket, isUnixSocket: boolean): void {
    if (socket.destroyed) return
    const {warn} = this.#context.sidecar
    const connection = new FrameServer(
      socket,
      warn,
      server => new ConnectionCalls(this.#context, server, {socket, isUnixSocket, closing: this.#closing.signal}),
      closed => this.#forget(closed)
    )
    this.#connections.set(connection, 0)
    this.#timer ??= setInterval(() => this.#checkIdle(), CHECK_MS).unref()
    if (this.#closing.signal.aborted) connection.leave()
  }

  /** Stops accepting calls. Settles when the open calls have ended. */
  async leave(): Promise<void> {
    for (const connection of this.#connections.keys()) connection.leave()
    this.#closing.abort()
    if (this.#connections.size > 0) await new Promise<void>(resolve => this.#whenEmpty.push(resolve))
  }

  #forget(connection: FrameServer): void {
    this.#connections.delete(connection)
    if (this.#connections.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const settle of this.#whenEmpty.splice(0)) settle()
  }

  #checkIdle(): void {
    for (const [connection, idleChecks] of this.#connections) {
      connection.look()
      const isIdle = connection.streams.size === 0
      this.#connections.set(connection, isIdle ? idleChecks + 1 : 0)
      if (isIdle && idleChecks >= MAX_IDLE_CHECKS) connection.leave()
    }
  }
}

/**
 * Handles the calls of one connection: reads the head, checks it, and makes a handler of the call's further frames. The handler serves the
 * sidecar's own API, or passes the call to an app by `InvokeService` or by the proxy.
 */
class ConnectionCalls implements StreamHandler {
  readonly #context: GrpcContext
  readonly #reader: HeadReader
  readonly #guards: GrpcGuards
  readonly #peer: Peer

  constructor(context: GrpcContext, connection: FrameServer, peer: Peer) {
    this.#context = context
    this.#peer = peer
    const {guards} = context
    // a client of a unix domain socket may use any authority
    this.#guards = peer.isUnixSocket ? {...guards, isAllowedHost: () => true} : guards
    this.#reader = new HeadReader(connection.walker, context.maxHeadBytes)
  }

  head(stream: FrameStream, block: string, isLast: boolean): void {
    const head = this.#reader.read(block)
    if (!head.isFine) {
      if (head.isTooLarge) return stream.reset(FRAME_SIZE_ERROR)
      if (head.isMalformed) return stream.reset(PROTOCOL_ERROR)
      const refusal = refusalOf(head, this.#guards)
      if (refusal !== undefined) return this.#refuse(stream, head, refusal.status, refusal.httpStatus)
      if (this.#isRefusedPage(head)) return this.#refuse(stream, head, PAGE_DENIED, 403)
      // heads with these fields are checked each time: a change of the Configuration may change the result
      head.isFine = head.baggage === '' && head.origin === '' && head.fetchSite === ''
    }
    // calls between sidecars are internal in Dapr, so API access rules do not apply to calls of other runs
    if (!isMethodServed(this.#context.apiAccess(), head.path) && this.#sidecarFor(head) === this.#context.sidecar)
      return this.#refuse(stream, head, NOT_SERVED)
    this.#route(stream, head, isLast)
  }

  /** Whether a web page of another origin may have sent the call. No browser can use this port, so only a gateway passes on such headers. */
  #isRefusedPage(head: RequestHead): boolean {
    const {pages} = this.#guards
    const {socket, isUnixSocket} = this.#peer
    if (isUnixSocket || !pages.isForeign(head) || this.#sidecarFor(head) !== this.#context.sidecar) return false
    const isOwn = ownMethod(head.path) !== undefined || ownStream(head.path) !== undefined
    return !pages.admitsNow(socket, socket, head.path === INVOKE_SERVICE || !isOwn)
  }

  data(stream: FrameStream, bytes: string): void {
    stream.credit(bytes.length)
  }

  // until a call has another handler, nothing was sent for it, and its end has no effect
  readonly sent = nothing
  readonly reset = nothing
  readonly lost = nothing

  #route(stream: FrameStream, head: RequestHead, isLast: boolean): void {
    if (head.path === INVOKE_SERVICE)
      return this.#readMessage(stream, head, isLast, message => this.#invoke(stream, head, message))
    const name = ownStream(head.path)
    if (name !== undefined) return this.#serveStream(stream, head, isLast, name)
    const own = ownMethod(head.path)
    if (own === undefined) this.#proxy(stream, head, isLast)
    else this.#serveUnary(stream, head, isLast, own)
  }

  #serveStream(caller: FrameStream, head: RequestHead, isLast: boolean, name: OwnStreamName): void {
    const {tracing} = this.#guards
    const {own, sidecar} = this.#context
    const spans = spansOf(head, tracing)
    const journal = this.#journalOf(head, spans)
    const fields = answerFields(head, tracing, spans, traceFor(head, spans))
    const stream = new ServerStream(
      this.#received(caller, head, sidecar),
      fields,
      this.#peer.closing,
      (status, requestBytes, responseBytes) => endJournal(journal, {status, requestBytes, responseBytes})
    )
    serveStream(stream, name, own, isLast)
  }

  #serveUnary(stream: FrameStream, head: RequestHead, isLast: boolean, method: OwnMethod): void {
    const {tracing} = this.#guards
    const spans = spansOf(head, tracing)
    const trace = traceFor(head, spans)
    const journal = this.#journalOf(head, spans)
    let added = ''
    const setHeader = (name: string, value: string): void => void (added += encodeField(name, value))
    const reply = (request: Buffer, answered: OwnAnswer): void => {
      const {status, message} = sendable(answered, this.#context.sidecar.maxBodyBytes)
      const fields = answerFields(head, tracing, spans, trace) + added
      answer(stream, head, {fields, status, message})
      endJournal(journal, {status, requestBytes: request.length, responseBytes: message.length})
    }
    this.#readMessage(stream, head, isLast, (request, onGone) => {
      if (journal.spans?.own.isSampled === true) journal.spans.actor = actorIn(head.path, request)
      const answered = method(request, this.#context.own, {head, trace, setHeader, onGone})
      if (!(answered instanceof Promise)) return reply(request, answered)
      answered.then(
        later => reply(request, later),
        (error: unknown) => {
          this.#context.sidecar.warn(bugText(error))
          this.#fail(stream, head, {code: INTERNAL, message: messageOf(error)})
        }
      )
    })
  }

  /** Reads the message of a unary call, then calls `then`. If the message cannot be read, fails the call. */
  #readMessage(
    stream: FrameStream,
    head: RequestHead,
    isLast: boolean,
    then: (message: Buffer, onGone: UnaryRequest['onGone']) => void
  ): void {
    const refuse = (status: GrpcStatus): void => this.#fail(stream, head, status)
    const request = new UnaryRequest({
      encoding: head.encoding,
      maxBytes: this.#context.sidecar.maxBodyBytes,
      failed: refuse,
      done: message => {
        try {
          then(message, request.onGone)
        } catch (error) {
          refuse({code: INTERNAL, message: `grpc: error unmarshalling request: ${messageOf(error)}`})
        }
      }
    })
    stream.handler = request
    if (isLast) request.data(stream, '', true)
  }

  #invoke(stream: FrameStream, head: RequestHead, message: Buffer): void {
    const received = this.#received(stream, head, this.#sidecarFor(head))
    invokeService(message, received, this.#context.protocolOf, status => this.#fail(stream, head, status))
  }

  #received(caller: FrameStream, head: RequestHead, sidecar: SidecarContext): ReceivedCall {
    return {sidecar, head, caller, deadline: deadlineOf(head), tracing: this.#guards.tracing}
  }

  #sidecarFor({delegation}: RequestHead): SidecarContext {
    return delegation === '' ? this.#context.sidecar : this.#context.sidecar.contextFor(delegation)
  }

  /** Passes a call on to the app that its metadata name. */
  #proxy(stream: FrameStream, head: RequestHead, isLast: boolean): void {
    const sidecar = this.#sidecarFor(head)
    const call = head.call ?? this.#proxiedCall(head, sidecar)
    if ('code' in call) return this.#refuse(stream, head, call)
    head.call = call
    const proxied = new ProxiedGrpcCall(this.#received(stream, head, sidecar), call)
    stream.handler = proxied
    try {
      proxied.start(isLast)
    } catch (error) {
      sidecar.warn(bugText(error))
      stream.reset(INTERNAL_ERROR)
    }
  }

  /** Returns the call that a head asks for; a status: it names no app, or an invalid one. */
  #proxiedCall({path, calleeId, appId}: RequestHead, {appId: caller}: SidecarContext): Call | GrpcStatus {
    const id = calleeId ?? appId
    if (id === undefined) {
      if (path.startsWith(DAPR))
        return {code: UNIMPLEMENTED, message: `Dapr ${RUNTIME_VERSION} has no ${path.slice(DAPR.length)}`}
      if (IS_REFLECTION.test(path)) return {code: UNIMPLEMENTED, message: `unknown method ${path}`}
      return this.#guards.tracing.isTracing && !path.startsWith(RUNTIME_PATHS) ? NO_ID : NO_TARGET
    }
    const fault = faultOfId(id)
    if (fault !== '') return {code: UNKNOWN, message: fault}
    const callee = id.split('.')[0] ?? ''
    const why = callee === caller ? methodFault(path) : ''
    if (why !== '') return {code: INVALID_ARGUMENT, message: `invalid method: ${why}`}
    return {caller, callee, method: 'POST', path, isProxied: true, target: appId ?? id}
  }

  /** Answers a call by its head, without reading its messages. Throws a ConnectionError if a client repeats refused calls endlessly. */
  #refuse(stream: FrameStream, head: RequestHead, status: GrpcStatus, httpStatus = 200): void {
    endJournal(this.#journalOf(head, undefined), {status, httpStatus, requestBytes: 0, responseBytes: 0})
    stream.refuse(answerHead(answerType(head), httpStatus) + trailersOf(status))
  }

  /** Ends a call whose messages were read. */
  #fail(stream: FrameStream, head: RequestHead, status: GrpcStatus): void {
    stream.writeHead(answerHead(answerType(head), 200) + trailersOf(status), true)
    endJournal(this.#journalOf(head, undefined), {status, requestBytes: 0, responseBytes: 0})
  }

  /** Begins the journal of a call that the sidecar answers itself. */
  #journalOf(head: RequestHead, spans: CallSpans | undefined): CallJournal {
    const {appId: caller, recorded} = this.#context.sidecar
    const request = spans?.own.isSampled === true ? wholeRequest(head, head.path) : briefRequest(head)
    return beginOwn(recorded, caller, request, spans?.own)
  }
}

function endJournal(journal: CallJournal, {status, httpStatus = 200, requestBytes, responseBytes}: Answered): void {
  const failure = status.code === OK ? '' : status.message || codeText(status.code)
  endOwn(journal, {status: httpStatus, grpcStatus: status.code, requestBytes, responseBytes, failure})
}

const NOTHING = new Uint8Array(0)

/** Returns the answer to send: an error in place of a message that is too large (grpc-go: MaxSendMsgSize). `max`: maximum bytes; 0: no limit. */
function sendable(answered: OwnAnswer, max: number): Pick<WholeAnswer, 'status' | 'message'> {
  if ('code' in answered) return {status: answered, message: NOTHING}
  if (max === 0 || answered.length <= max) return {status: {code: OK, message: ''}, message: answered}
  const message = `grpc: ${tooLargeToSend(answered.length, max)}`
  return {status: {code: RESOURCE_EXHAUSTED, message}, message: NOTHING}
}

function nothing(): void {}

/** Returns the trace of a call, and its baggage, as fields for the answer. */
const answerFields = (
  head: RequestHead,
  tracing: GrpcGuards['tracing'],
  spans: CallSpans | undefined,
  {traceparent, tracestate}: Trace
): string =>
  (tracing.isTracing ? traceStateFields(traceparent, spans === undefined ? '' : tracestate) : '') +
  baggageFields(head, tracing)

const deadlineOf = ({timeout}: RequestHead): number =>
  timeout === '' ? Infinity : performance.now() + (timeoutMs(timeout) ?? Infinity)

/** The status for a call without an app id if tracing is on (Dapr: pkg/diagnostics/grpc_tracing.go). */
const NO_ID: GrpcStatus = {
  code: UNKNOWN,
  message: 'cannot proxy request: missing dapr-callee-app-id or dapr-app-id metadata'
}

/** The status for other calls without an app id (Dapr: pkg/messaging/grpc_proxy.go). */
const NO_TARGET: GrpcStatus = {
  code: UNKNOWN,
  message: 'failed to proxy request: required metadata dapr-callee-app-id or dapr-app-id not found'
}

const faultOfId = (id: string): string => {
  if (id === '') return 'app id is empty'
  return id.split('.').length > 2 ? `invalid app id ${id}` : ''
}
