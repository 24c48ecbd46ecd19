import {FrameClients} from '#h2-frames'
import {authorityOf} from '../../model/address.ts'
import {messageOf} from '../../model/errors.ts'
import {valueOf} from '../../proxy/net/http1/header-lines.ts'
import {Http2Request} from '../../proxy/net/http2/http2-request.ts'
import {isStreamType} from '../telemetry/recorder/call-content.ts'
import type {CallPlace, Resent} from './send.ts'

interface SentAgain {
  readonly method: string
  readonly path: string
  /** Names and values by turns. */
  readonly headers: readonly string[]
  readonly body: Buffer
}

/** Sends a request over HTTP/2 without TLS, as a client with prior knowledge does (RFC 9113, 3.3). Settles as `sendAgain` does. */
export async function sendOverHttp2(
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
