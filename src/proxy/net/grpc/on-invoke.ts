import {encodeField, FieldWalker} from '#h2-frames'
import type {GrpcInvocation} from '../../../model/call.ts'
import {messageOf as errorText} from '../../../model/errors.ts'
import type {SharedCallee} from '../dialer.ts'
import {valueOf} from '../http1/header-lines.ts'
import type {AdaptedRequest, Connect, RemoteSink} from '../remote-side.ts'
import {clientsOf} from './clients-of.ts'
import {detailsOf} from './error-details.ts'
import {headFields, ON_INVOKE, PERMANENT_HEADER} from './head-fields.ts'
import {readInvokeResponse, VERBS, writeInvokeRequest, type InvokeResponse} from './invoke-messages.ts'
import {tooLargeToSend} from './message-gauge.ts'
import {httpStatusOf, INTERNAL, percentDecoded, RESOURCE_EXHAUSTED, type GrpcStatus} from './status.ts'
import {binaryTrace} from './trace-fields.ts'
import {connectUnary, type UnaryOutcome} from './unary-call.ts'

/** Matches headers that are not sent: they are meant for the sidecar, or mean something else in gRPC. */
const CUT = /^(?:host|user-agent|te|grpc-.*|dapr-grpc-.*|.*-bin)$/

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

const POST = VERBS.indexOf('POST')

/** Splits a path: `/a%20b/c?x=1` → `a b/c`, `x=1`. */
const methodOf = (path: string): {readonly method: string; readonly query: string} => {
  const flag = path.indexOf('?')
  const escaped = flag < 0 ? path : path.slice(0, flag)
  const query = flag < 0 ? '' : path.slice(flag + 1)
  return {method: percentDecoded(escaped).replace(/^\//, ''), query: Buffer.from(query, 'latin1').toString()}
}

const metadataOf = (pairs: readonly string[]): string => {
  let fields = ''
  for (let at = 0; at < pairs.length; at += 2) {
    const name = (pairs[at] ?? '').toLowerCase()
    const value = pairs[at + 1] ?? ''
    if (CUT.test(name)) continue
    fields += encodeField(PERMANENT_HEADER.test(name) ? `dapr-${name}` : name, value)
    if (name === 'traceparent' && TRACEPARENT.test(value)) fields += binaryTrace(value)
  }
  return fields
}

const messageOf = ({method: verb, path, pairs}: AdaptedRequest, body: Buffer): Uint8Array => {
  const known = VERBS.findIndex(each => each === verb)
  return writeInvokeRequest({
    ...methodOf(path),
    typeUrl: '',
    value: body,
    contentType: Buffer.from(valueOf(pairs, 'content-type') ?? '', 'latin1').toString(),
    verb: known > 0 ? known : POST
  })
}

/** Fields that an HTTP caller does not get: those of gRPC itself, and those about the encoded body. */
const OWN_FIELDS: ReadonlySet<string> = new Set(
  'content-type content-length grpc-status grpc-message grpc-encoding grpc-accept-encoding'.split(' ')
)

/** Returns the head of a gRPC response as HTTP headers, without `OWN_FIELDS`. */
const headersOf = (head: string): string[] => {
  const pairs: string[] = []
  new FieldWalker().walk(head, {
    field: field => {
      const {name} = field
      if (OWN_FIELDS.has(name) || name.endsWith('-bin')) return
      pairs.push(name.startsWith('grpc-') ? `dapr-${name}` : name, field.value())
    }
  })
  return pairs
}

function reply(back: RemoteSink, status: number, pairs: readonly string[], body: Uint8Array): void {
  back.respond(status, [...pairs, 'content-length', body.length.toString()])
  back.data(Buffer.from(body.buffer, body.byteOffset, body.length))
}

/** Sends a gRPC status to an HTTP caller: `google.rpc.Status` as JSON (Dapr: pkg/api/http/directmessaging.go). */
const replyStatus = (back: RemoteSink, {code, message, details = ''}: GrpcStatus, head: string): void => {
  const given = detailsOf(Buffer.from(details, 'latin1'))
  const status = {code, message, ...(given.length > 0 && {details: given})}
  const pairs = [...headersOf(head), 'content-type', 'text/plain; charset=utf-8']
  reply(back, httpStatusOf(code), pairs, Buffer.from(JSON.stringify(status)))
}

const finish = (back: RemoteSink, {status, head, message}: UnaryOutcome): void => {
  if (status.code !== 0) return replyStatus(back, status, head)
  let response: InvokeResponse
  try {
    response = readInvokeResponse(message)
  } catch (error) {
    return replyStatus(back, {code: INTERNAL, message: `grpc: error unmarshalling response: ${errorText(error)}`}, head)
  }
  const {value, typeUrl, contentType} = response
  const type = typeUrl === '' ? contentType : 'application/x-protobuf'
  reply(back, 200, [...headersOf(head), ...(type === '' ? [] : ['content-type', type])], value)
}

/** Returns the client for HTTP calls to a gRPC app: each call becomes an `OnInvoke` (Dapr: pkg/channel/grpc). */
export const connectOnInvoke = (
  pool: SharedCallee,
  maxBytes: number,
  onInvoke: (invocation: GrpcInvocation) => void
): Connect =>
  connectUnary(
    clientsOf(pool, () => undefined),
    {
      blockOf: ({pairs}) => headFields(pool, ON_INVOKE, 'application/grpc') + metadataOf(pairs),
      messageOf: (request, body) => {
        const message = messageOf(request, body)
        if (maxBytes === 0 || message.length <= maxBytes) return message
        return {code: RESOURCE_EXHAUSTED, message: tooLargeToSend(message.length, maxBytes)}
      },
      maxBytes,
      finish,
      called: ({length: requestBytes}, {status: {code}, message: {length: responseBytes}}, elapsedMs) =>
        onInvoke({method: ON_INVOKE, code, elapsedMs, requestBytes, responseBytes})
    }
  )
