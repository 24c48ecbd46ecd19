import {FrameClients} from '#h2-frames'
import {authorityOf} from '../../model/address.ts'
import {CONNECTION_HEADERS} from '../../model/connection-headers.ts'
import {messageOf} from '../../model/errors.ts'
import {valueOf} from '../../proxy/net/http1/header-lines.ts'
import {http} from '../../proxy/net/http1/node-http.ts'
import {Http2Request} from '../../proxy/net/http2/http2-request.ts'
import {contentOf, headerValue, isStreamType} from '../telemetry/recorder/call-content.ts'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import {REPLAY_HEADER} from '../telemetry/recorder/expected-replays.ts'

/** The target of a call: the sidecar of its caller, or the port of its callee. */
export interface CallPlace {
  readonly host: string
  readonly port: number
}

/** The status of the response; 0: none, for the reason in `why`. */
export interface Resent {
  readonly status: number
  readonly why: string
}

/** Headers that are left out: they belong to the connection, or the replay sets its own. */
const LEFT_OUT: ReadonlySet<string> = new Set([...CONNECTION_HEADERS, REPLAY_HEADER.toLowerCase()])
const TAKES_BODY = new Set(['POST', 'PUT', 'PATCH'])

/**
 * Sends a call's request again, without headers about the connection. Settles when the response is complete or impossible; for a stream
 * with its head. Never rejects.
 */
export async function sendAgain(call: RecordedCall, {host, port}: CallPlace, signal: AbortSignal): Promise<Resent> {
  const {request, target} = contentOf(call)
  const [method = '', , version = ''] = (request.head.split(/\r?\n/, 1)[0] ?? '').split(' ')
  const {body} = request
  const headers = [...headersOf(request.headers), REPLAY_HEADER, call.number.toString()]
  const authority = authorityOf(host, port)
  if (version === 'HTTP/2') return sendOverHttp2({host, port}, {method, path: target, headers, body}, signal)
  if (headerValue(headers, 'host') === '') headers.push('Host', authority)
  if (body.length > 0 || TAKES_BODY.has(method)) headers.push('Content-Length', body.length.toString())
  return new Promise(resolve => {
    const failed = (error: unknown): void =>
      resolve({status: 0, why: signal.aborted ? messageOf(signal.reason) : messageOf(error)})
    try {
      http
        .request({host, port, method, path: target, headers, agent: false, signal}, response => {
          const {statusCode: status = 0, headers: own} = response
          if (isStreamType(own['content-type'] ?? '')) {
            resolve({status, why: ''})
            return void response.destroy()
          }
          response
            .on('error', failed)
            .on('end', () => resolve({status, why: ''}))
            .resume()
        })
        .on('error', failed)
        .end(body)
    } catch (error) {
      failed(error) // node:http refuses this head
    }
  })
}

interface SentAgain {
  readonly method: string
  readonly path: string
  /** Alternating names and values. */
  readonly headers: readonly string[]
  readonly body: Buffer
}

/** Sends a request over HTTP/2 without TLS, as a client with prior knowledge does (RFC 9113, 3.3). Settles as `sendAgain` does. */
async function sendOverHttp2(
  {host, port}: CallPlace,
  {method, path, headers, body}: SentAgain,
  signal: AbortSignal
): Promise<Resent> {
  const {promise, resolve} = Promise.withResolvers<Resent>()
  const failed = (error: unknown): void => resolve({status: 0, why: messageOf(error)})
  const abort = (): void => failed(signal.reason)
  const clients = new FrameClients({hosts: [host], port, isSecure: false, warn: failed})
  const hasBody = body.length > 0
  const pairs = hasBody ? [...headers, 'content-length', body.length.toString()] : headers
  let status = 0
  signal.addEventListener('abort', abort, {once: true})
  if (signal.aborted) abort()
  const sink = {
    respond: (got: number, fields: readonly string[]): void => {
      status = got
      if (isStreamType(valueOf(fields, 'content-type') ?? '')) resolve({status, why: ''})
    },
    data: () => true,
    end: () => resolve({status, why: ''}),
    fail: (error: Error) => (status === 0 ? failed(error) : resolve({status, why: ''})),
    drain: () => undefined
  }
  const request = new Http2Request(clients, authorityOf(host, port), {method, path, pairs, hasBody}, sink)
  if (hasBody) request.write(body, true)
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', abort)
    clients.cut()
  }
}

/** A request of a sidecar to its app, without the headers that the sidecar adds to each request. */
export interface RequestText {
  readonly method: string
  readonly path: string
  /** The headers, each as `Name: value\r\n`. */
  readonly lines: string
  readonly body: Buffer
}

/** Returns the request that delivers a recorded event again. */
export function requestOf(call: RecordedCall): RequestText {
  const {request, target} = contentOf(call)
  const [method = ''] = request.head.split(' ', 1)
  const headers = [...headersOf(request.headers), REPLAY_HEADER, call.number.toString()]
  const lines = headers.map((text, at) => {
    if (at % 2 === 1) return ''
    return SET_AGAIN.has(text.toLowerCase()) ? '' : `${text}: ${headers[at + 1] ?? ''}\r\n`
  })
  return {method, path: target, lines: lines.join(''), body: request.body}
}

/** Headers that the sidecar adds to each request to its app. */
const SET_AGAIN = new Set(['host', 'dapr-api-token'])

const headersOf = (headers: readonly string[]): string[] =>
  headers.flatMap((name, at) => (at % 2 === 1 || LEFT_OUT.has(name.toLowerCase()) ? [] : [name, headers[at + 1] ?? '']))
