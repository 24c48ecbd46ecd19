import {setMaxListeners} from 'node:events'
import type net from 'node:net'
import {
  encodeField,
  FrameServer,
  type FrameStream,
  type StreamHandler,
  FRAME_SIZE_ERROR,
  PROTOCOL_ERROR
} from '#h2-frames'
import type {CallSpans} from '../../../model/call.ts'
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

/** The services of the gRPC port of one sidecar. */
export interface GrpcContext {
  /** The context of the sidecar. `contextFor` returns that for a caller of another run. */
  readonly sidecar: HostContext
  readonly guards: GrpcGuards
  readonly maxHeadBytes: number
  /** The `appProtocol` of an app of the run, `http` for external endpoints; '' for all others. */
  readonly protocolOf: (callee: string) => string
  readonly own: OwnMethodsContext
  /** The APIs that are served now; undefined: all. */
  readonly apiAccess: () => ApiAccess | undefined
}

interface Peer {
  readonly socket: net.Socket
  readonly isUnixSocket: boolean
  /** Aborted when no new calls are accepted. */
  readonly closing: AbortSignal
}

/** How the sidecar has answered a call itself. */
interface Answered {
  readonly status: GrpcStatus
  /** Omitted: 200. */
  readonly httpStatus?: number
  readonly requestBytes: number
  readonly responseBytes: number
}

/** Idle connections get GOAWAY after this many checks (Dapr: 3 minutes). */
const LOOK_MS = 10_000
const MAX_IDLE_LOOKS = 18

const IS_REFLECTION = /^\/grpc\.reflection\.v1(?:alpha)?\.ServerReflection\//

/** The connections to the gRPC port of one sidecar. */
export class GrpcServer {
  readonly #context: GrpcContext
  readonly #idle = new Map<FrameServer, number>()
  readonly #ended: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  /** Aborted when no new calls are accepted. */
  readonly #closing = new AbortController()

  constructor(context: GrpcContext) {
    this.#context = context
    // each stream of the sidecar's own listens
    setMaxListeners(0, this.#closing.signal)
  }

  /** Serves a connection that our settings have been sent to. */
  serve(socket: net.Socket, isUnixSocket: boolean): void {
    if (socket.destroyed) return
    const {warn} = this.#context.sidecar
    const connection = new FrameServer(
      socket,
      warn,
      server => new Calls(this.#context, server, {socket, isUnixSocket, closing: this.#closing.signal}),
      closed => this.#forget(closed)
    )
    this.#idle.set(connection, 0)
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref()
    if (this.#closing.signal.aborted) connection.leave()
  }

  /** Stops accepting calls; settles when the open calls are over. */
  async leave(): Promise<void> {
    for (const connection of this.#idle.keys()) connection.leave()
    this.#closing.abort()
    if (this.#idle.size > 0) await new Promise<void>(resolve => this.#ended.push(resolve))
  }

  #forget(connection: FrameServer): void {
    this.#idle.delete(connection)
    if (this.#idle.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const settle of this.#ended.splice(0)) settle()
  }

  #look(): void {
    for (const [connection, looks] of this.#idle) {
      connection.look()
      const isIdle = connection.streams.size === 0
      this.#idle.set(connection, isIdle ? looks + 1 : 0)
      if (isIdle && looks >= MAX_IDLE_LOOKS) connection.leave()
    }
  }
}

/** Reads the calls of one connection, and hands each to its server. */
class Calls implements StreamHandler {
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
      // whether baggage is looked at may change with the Configuration
      head.isFine = head.baggage === '' && head.origin === '' && head.fetchSite === ''
    }
    // calls of other runs use a method that is internal in Dapr
    if (!isMethodServed(this.#context.apiAccess(), head.path) && this.#sidecarFor(head) === this.#context.sidecar)
      return this.#refuse(stream, head, NOT_SERVED)
    this.#route(stream, head, isLast)
  }

  /** Whether `PageGuard` refuses a call. No browser speaks to this port, so its caller is looked up at once. */
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

  // frames written here carry no data
  readonly sent = nothing
  readonly reset = nothing
  readonly lost = nothing

  #route(stream: FrameStream, head: RequestHead, isLast: boolean): void {
    if (head.path === INVOKE_SERVICE)
      return this.#collect(stream, head, isLast, message => this.#invoke(stream, head, message))
    const name = ownStream(head.path)
    if (name !== undefined) return this.#stream(stream, head, isLast, name)
    const own = ownMethod(head.path)
    if (own === undefined) this.#proxy(stream, head, isLast)
    else this.#serve(stream, head, isLast, own)
  }

  #stream(caller: FrameStream, head: RequestHead, isLast: boolean, name: OwnStreamName): void {
    const {tracing} = this.#guards
    const {own, sidecar} = this.#context
    const spans = spansOf(head, tracing)
    const journal = this.#journalOf(head, spans)
    const fields = answerFields(head, tracing, spans, traceFor(head, spans))
    const stream = new ServerStream(
      this.#received(caller, head, sidecar),
      fields,
      this.#peer.closing,
      (status, requestBytes, responseBytes) => record(journal, {status, requestBytes, responseBytes})
    )
    serveStream(stream, name, own, isLast)
  }

  #serve(stream: FrameStream, head: RequestHead, isLast: boolean, method: OwnMethod): void {
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
      record(journal, {status, requestBytes: request.length, responseBytes: message.length})
    }
    this.#collect(stream, head, isLast, (request, onGone) => {
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

  /** Reads the message of a unary call; if it cannot be read, the caller gets the status. */
  #collect(
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

  #proxy(stream: FrameStream, head: RequestHead, isLast: boolean): void {
    const sidecar = this.#sidecarFor(head)
    if (head.call === undefined) {
      const id = head.calleeId ?? head.appId
      if (id === undefined) {
        if (head.path.startsWith(DAPR)) {
          const message = `Dapr ${RUNTIME_VERSION} has no ${head.path.slice(DAPR.length)}`
          return this.#refuse(stream, head, {code: UNIMPLEMENTED, message})
        }
        if (IS_REFLECTION.test(head.path))
          return this.#refuse(stream, head, {code: UNIMPLEMENTED, message: `unknown method ${head.path}`})
        const isStreamTraced = this.#guards.tracing.isTracing && !head.path.startsWith(RUNTIME_PATHS)
        return this.#refuse(stream, head, isStreamTraced ? NO_ID : NO_TARGET)
      }
      const fault = faultOfId(id)
      if (fault !== '') return this.#refuse(stream, head, {code: UNKNOWN, message: fault})
      const callee = id.split('.')[0] ?? ''
      const why = callee === sidecar.appId ? methodFault(head.path) : ''
      if (why !== '') return this.#refuse(stream, head, {code: INVALID_ARGUMENT, message: `invalid method: ${why}`})
      head.call = {
        caller: sidecar.appId,
        callee,
        method: 'POST',
        path: head.path,
        isProxied: true,
        target: head.appId ?? id
      }
    }
    const proxied = new ProxiedGrpcCall(this.#received(stream, head, sidecar), head.call)
    stream.handler = proxied
    try {
      proxied.start(isLast)
    } catch (error) {
      sidecar.warn(bugText(error))
      stream.reset(2)
    }
  }

  /** Refuses a call by its head. Throws a ConnectionError for endless refused calls. */
  #refuse(stream: FrameStream, head: RequestHead, status: GrpcStatus, httpStatus = 200): void {
    record(this.#journalOf(head, undefined), {status, httpStatus, requestBytes: 0, responseBytes: 0})
    stream.refuse(answerHead(answerType(head), httpStatus) + trailersOf(status))
  }

  #fail(stream: FrameStream, head: RequestHead, status: GrpcStatus): void {
    stream.writeHead(answerHead(answerType(head), 200) + trailersOf(status), true)
    record(this.#journalOf(head, undefined), {status, requestBytes: 0, responseBytes: 0})
  }

  /** Begins the journal of a call that the sidecar answers itself. */
  #journalOf(head: RequestHead, spans: CallSpans | undefined): CallJournal {
    const {appId: caller, recorded} = this.#context.sidecar
    const request = spans?.own.isSampled === true ? wholeRequest(head, head.path) : briefRequest(head)
    return beginOwn(recorded, caller, request, spans?.own)
  }
}

function record(journal: CallJournal, {status, httpStatus = 200, requestBytes, responseBytes}: Answered): void {
  const failure = status.code === OK ? '' : status.message || codeText(status.code)
  endOwn(journal, {status: httpStatus, grpcStatus: status.code, requestBytes, responseBytes, failure})
}

const NOTHING = new Uint8Array(0)

/** Returns a sendable answer: a message of our own has no more bytes than a received one (grpc-go: MaxSendMsgSize). `max`: 0: any number. */
function sendable(answered: OwnAnswer, max: number): Pick<WholeAnswer, 'status' | 'message'> {
  if ('code' in answered) return {status: answered, message: NOTHING}
  if (max === 0 || answered.length <= max) return {status: {code: OK, message: ''}, message: answered}
  const message = `grpc: ${tooLargeToSend(answered.length, max)}`
  return {status: {code: RESOURCE_EXHAUSTED, message}, message: NOTHING}
}

function nothing(): void {}

/** The trace of a call, and its baggage, for the caller. */
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

/** Dapr's words (pkg/diagnostics/grpc_tracing.go). */
const NO_ID: GrpcStatus = {
  code: UNKNOWN,
  message: 'cannot proxy request: missing dapr-callee-app-id or dapr-app-id metadata'
}

/** Dapr's words without a target (pkg/messaging/grpc_proxy.go). */
const NO_TARGET: GrpcStatus = {
  code: UNKNOWN,
  message: 'failed to proxy request: required metadata dapr-callee-app-id or dapr-app-id not found'
}

const faultOfId = (id: string): string => {
  if (id === '') return 'app id is empty'
  return id.split('.').length > 2 ? `invalid app id ${id}` : ''
}
