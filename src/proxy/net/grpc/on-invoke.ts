import {encodeField, FieldWalker} from '#h2-frames'
import type {GrpcInvocation} from '../../../model/call.ts'
import {messageOf as errorText} from '../../../model/errors.ts'
import {type SharedCallee, UpstreamError} from '../dialer.ts'
import {valueOf} from '../http1/header-lines.ts'
import type {AdaptedRequest, Connect, RemoteSink} from '../remote-side.ts'
import {clientsOf} from './clients-of.ts'
import {detailsOf} from './error-details.ts'
import {headFields, ON_INVOKE, PERMANENT_HEADER} from './head-fields.ts'
import {readInvokeResponse, VERBS, writeInvokeRequest, type InvokeResponse} from './invoke-messages.ts'
import {tooLargeToSend} from './message-gauge.ts'
import {httpStatusOf, INTERNAL, percentDecoded, RESOURCE_EXHAUSTED, UNAVAILABLE, type GrpcStatus} from './status.ts'
import {binaryTrace} from './trace-fields.ts'
import {Collector, NO_ROOM} from '../collector.ts'
import {UnaryCall, type UnaryOutcome} from './unary-call.ts'

/** Headers that are meant for the sidecar alone, or that would mean something else in gRPC. */
const CUT = /^(?:host|user-agent|te|grpc-.*|dapr-grpc-.*|.*-bin)$/

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

const POST = VERBS.indexOf('POST')

/** `/a%20b/c?x=1` → `a b/c`, `x=1`. */
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

/** Fields of gRPC itself, which say nothing to a caller of HTTP, and of the body in its form. */
const OWN_FIELDS: ReadonlySet<string> = new Set(
  'content-type content-length grpc-status grpc-message grpc-encoding grpc-accept-encoding'.split(' ')
)

/** Returns the head of an app of gRPC as headers, without gRPC's own. */
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

/** A status of gRPC for a caller of HTTP: `google.rpc.Status` in JSON (pkg/api/http/directmessaging.go). */
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

/** Calls over HTTP to an app of gRPC: each becomes one OnInvoke on the app's shared connections (Dapr: pkg/channel/grpc). */
export const connectOnInvoke =
  (pool: SharedCallee, maxBytes: number, onInvoke: (invocation: GrpcInvocation) => void): Connect =>
  ({opened, failed}) => {
    const clients = clientsOf(pool, () => undefined)
    let current: UnaryCall | undefined
    let collected: Collector | undefined
    const first = {
      opened: () => opened(),
      failed: (why: string, isRefused: boolean) =>
        failed(Object.assign(new UpstreamError(why), isRefused && {code: 'ECONNREFUSED'}))
    }
    queueMicrotask(() => clients.take(first))
    return {
      request: (adapted, back) => {
        const body = new Collector(0)
        const start = (): void => {
          const message = messageOf(adapted, body.take())
          if (maxBytes > 0 && message.length > maxBytes)
            return replyStatus(back, {code: RESOURCE_EXHAUSTED, message: tooLargeToSend(message.length, maxBytes)}, '')
          const startedAt = performance.now()
          const tell = (code: number, responseBytes: number): void => {
            const elapsedMs = performance.now() - startedAt
            onInvoke({method: ON_INVOKE, code, elapsedMs, requestBytes: message.length, responseBytes})
          }
          current = new UnaryCall({
            clients,
            block: headFields(pool, ON_INVOKE, 'application/grpc') + metadataOf(adapted.pairs),
            message,
            maxBytes,
            done: outcome => {
              current = undefined
              tell(outcome.status.code, outcome.message.length)
              finish(back, outcome)
            },
            refused: why => {
              tell(UNAVAILABLE, 0)
              replyStatus(back, {code: UNAVAILABLE, message: why}, '')
            }
          }).start()
        }
        collected = body
        if (!adapted.hasBody) start()
        return {
          write: (bytes, isLast) => {
            if (bytes !== undefined && body.add(bytes) !== 'added') back.fail(new UpstreamError(NO_ROOM))
            else if (isLast) start()
            return true
          }
        }
      },
      resume: () => undefined,
      end: () => {
        clients.leave(first)
        collected?.release()
        current?.cancel()
      }
    }
  }
