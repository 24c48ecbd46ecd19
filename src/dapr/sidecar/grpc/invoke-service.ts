import {FieldWalker} from '#h2-frames'
import type {Call} from '../../../model/call.ts'
import type {Exchange} from '../../../proxy/net/exchange.ts'
import {
  completed,
  readInvokeRequest,
  readInvokeService,
  VERBS,
  type InvokeRequest
} from '../../../proxy/net/grpc/invoke-messages.ts'
import {INTERNAL, type GrpcStatus} from '../../../proxy/net/grpc/status.ts'
import {valueText} from '../http/blocks/app-headers.ts'
import {cleanMethod} from '../http/go-path.ts'
import {readHeaders} from '../http/headers.ts'
import {Invocation} from '../http/invocation.ts'
import {targetOf, type Target} from '../http/target.ts'
import {traceLines} from '../http/trace.ts'
import {formatTraceparent, formatTracestate} from '../../../observe/telemetry/tracing/trace-context.ts'
import {traceFields} from '../../../proxy/net/grpc/trace-fields.ts'
import {baggageFields, sentTrace, spansOf, grpcTraceOf} from './grpc-trace.ts'
import {InvokeDownstream} from './invoke-downstream.ts'
import {InvokedGrpcCall} from './invoked-grpc-call.ts'
import type {ReceivedCall, RequestHead} from './request-head.ts'

const latin1Of = (text: string): string => Buffer.from(text).toString('latin1')

/** Returns a query with its `?`. Escapes spaces and control characters, which would end the request line; '': no query. */
const queryOf = (query: string): string =>
  // oxlint-disable-next-line no-control-regex -- they are sought
  query === '' ? '' : `?${latin1Of(query).replace(/[\0- \x7f]/g, encodeURIComponent)}`

const REMOTE = 'rpc error: code = Internal desc = error invoking app channel: '
const NO_MESSAGE =
  'rpc error: code = InvalidArgument desc = parsing InternalInvokeRequest error: request does not contain the required fields in the leading chunk'

const wrapped = (id: string, error: string): GrpcStatus => ({
  code: INTERNAL,
  message: `failed to invoke, id: ${id}, err: ${error}`
})

/**
 * Serves `InvokeService` of Dapr's API, which calls an app over HTTP or gRPC (pkg/api/grpc/grpc.go). `protocolOf` returns the
 * `appProtocol` of a callee; '': it is not an app of this run.
 */
export const invokeService = (
  bytes: Buffer,
  received: ReceivedCall,
  protocolOf: (callee: string) => string,
  refuse: (status: GrpcStatus) => void
): void => {
  const {id, message} = readInvokeService(bytes)
  if (id === '') return refuse(wrapped(id, 'app id is empty'))
  if (message === undefined) return refuse(wrapped(id, NO_MESSAGE))
  const request = readInvokeRequest(message)
  const query = queryOf(request.query)
  const target = targetOf(latin1Of(id), latin1Of(request.method), query, false)
  if (target.fault !== '') return refuse(wrapped(id, target.fault))
  const protocol = protocolOf(target.id)
  if (protocol.startsWith('http') || protocol === 'h2c') {
    const url = targetOf(latin1Of(id), latin1Of(request.method), query)
    if (url.fault !== '') return refuse(wrapped(id, url.fault))
    const fault = extensionFault(request)
    const channel = received.sidecar.appId === target.id ? '' : REMOTE
    if (fault !== '') return refuse(wrapped(id, `${channel}rpc error: code = InvalidArgument desc = ${fault}`))
    return invokeHttp(request, url, received)
  }
  invokeGrpc(bytes, {message, request, target}, received)
}

const extensionFault = ({verb}: InvokeRequest): string => {
  if (verb === undefined) return 'missing HTTP extension field'
  const name = VERBS[verb]
  return name === undefined || name === 'NONE' || name === 'CONNECT' ? 'invalid HTTP verb' : ''
}

/** The callee and the request of an InvokeService call. */
interface Asked {
  readonly message: Uint8Array
  readonly request: InvokeRequest
  readonly target: Target
}

function invokeGrpc(bytes: Buffer, {message, request, target}: Asked, received: ReceivedCall): void {
  const {sidecar, caller} = received
  const cleaned = cleanMethod(request.method)
  const call: Call = {
    caller: sidecar.appId,
    callee: target.id,
    method: VERBS[request.verb ?? 0] ?? 'NONE',
    path: target.path
  }
  const invoked = new InvokedGrpcCall(received, call, {
    sentId: target.sentId,
    request: bytes,
    message: completed(message, request, cleaned === request.method ? undefined : cleaned)
  })
  caller.handler = invoked
  invoked.start(true)
}

/** Returns the caller's metadata as a flat list of header names and values. Leaves out values with line ends. */
const pairsOf = ({metadata, authority, userAgent}: RequestHead): string[] => {
  const pairs: string[] = []
  new FieldWalker().walk(metadata, {
    field: field => {
      const value = field.value()
      if (!/[\0\r\n]/.test(value)) pairs.push(field.name, value)
    }
  })
  if (authority !== '') pairs.push('dapr-authority', authority)
  if (userAgent !== '') pairs.push('user-agent', userAgent)
  return pairs
}

/** Returns the content type for the app: protobuf if the message has a type (Dapr: pkg/messaging/v1/invoke_method_request.go, ContentType). */
const contentTypeOf = ({contentType, typeUrl = ''}: InvokeRequest): string =>
  typeUrl === '' ? valueText(contentType) : 'application/x-protobuf'

function invokeHttp(request: InvokeRequest, target: Target, received: ReceivedCall): void {
  const {sidecar, head, caller, tracing} = received
  const method = VERBS[request.verb ?? 0] ?? 'POST'
  const body = Buffer.from(request.value.buffer, request.value.byteOffset, request.value.length)
  const type = contentTypeOf(request)
  const headers = readHeaders([...pairsOf(head), ...(type === '' ? [] : ['content-type', type])])
  headers.length = body.length
  headers.framing = body.length > 0 ? `Content-Length: ${body.length}\r\n` : ''
  const spans = spansOf(head, tracing)
  const own = spans?.own.context
  const trace =
    own === undefined ? (tracing.isTracing ? grpcTraceOf(head).traceparent : sentTrace(head)) : formatTraceparent(own)
  const tracestate = own === undefined ? head.tracestate : formatTracestate(own)
  const answerTrace = (tracing.isTracing ? traceFields(trace) : '') + baggageFields(head, tracing)
  let exchange: Exchange | undefined
  const invocation = new Invocation({
    sidecar,
    request: {protocol: 'gRPC', method, path: head.path, lines: headers.lines, trace: sentTrace(head)},
    isInvokeService: true,
    spans,
    target,
    headers,
    trace: trace === '' ? '' : traceLines({traceparent: trace, tracestate}),
    responseTrace: '',
    extraLines: '',
    exchange: handler => (exchange = new InvokeDownstream(method, body, handler, received, answerTrace).exchange)
  })
  const leave = (): void => exchange?.abort()
  caller.handler = {head: nothing, data: nothing, sent: nothing, reset: leave, lost: leave}
  invocation.start()
}

const nothing = (): void => undefined
