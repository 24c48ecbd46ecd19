import type {ClientRequest, IncomingMessage, RequestOptions} from 'node:http'
import {Readable, type Writable} from 'node:stream'
import type {SecureContext} from 'node:tls'
import {systemClock} from '../../../platform/clock.ts'
import {hearLastWords, UpstreamError} from '../dialer.ts'
import {asWritten} from '../http1/header-lines.ts'
import {HEAD_LIMIT, MAX_INTERIM, TOO_MANY_INTERIM} from '../http1/response-head.ts'
import type {AdaptedRequest} from '../remote-side.ts'
import {maySendAgain} from '../request-body.ts'
import {hostNameOf} from './proxy-of.ts'
import {redirectAfter, withoutNamed} from './redirect.ts'
import {agentOf, contextOf, newAgent, webOf, type WebOptions} from './web-agent.ts'
import {webError} from './web-error.ts'

const DIAL_TIMEOUT_MS = 15_000
const MAX_REDIRECTS = 10
/** Maximum size of a redirect's body that is read, to reuse the connection. A larger one closes it (Go: net/http, maxBodySlurpSize). */
const MAX_REDIRECT_BYTES = 2048

/** Receives the result of a request: one response, or a failure. */
export interface WebSink {
  respond(status: number, pairs: readonly string[], body: Readable): void
  fail(error: Error): void
}

/** Sends a request with a known body to an external URL. Returns a function that cancels it. */
export function requestWeb(options: WebOptions, adapted: AdaptedRequest, sink: WebSink, body: Buffer): () => void {
  const request = new ExternalRequest(options, adapted, sink, body)
  request.start().end(body)
  return () => request.end()
}

/** A request to an external URL by node:http, which follows redirects. */
export class ExternalRequest {
  readonly #options: WebOptions
  readonly #adapted: AdaptedRequest
  readonly #sink: WebSink
  /** Whole body, to be repeated after a redirect; undefined: it is streamed. */
  readonly #body: Buffer | undefined
  #request: ClientRequest | undefined
  #redirects = 0

  constructor(options: WebOptions, adapted: AdaptedRequest, sink: WebSink, body?: Buffer) {
    this.#options = options
    this.#adapted = adapted
    this.#sink = sink
    this.#body = body
  }

  /** Sends the head. Returns the stream to which the body is written. */
  start(): Writable {
    const {origin} = this.#options
    const url = new URL(origin.origin)
    return this.#send(url, this.#adapted, agentOf(url, this.#options))
  }

  end(): void {
    const request = this.#request
    this.#request = undefined
    request?.destroy()
  }

  #send(url: URL, adapted: AdaptedRequest, agent: RequestOptions['agent']): Writable {
    const request = webOf(url).request(this.#requestTo(url, adapted, agent))
    this.#request = request
    // removes `Connection: keep-alive`, which node:http would add, unless it has sent the headers already, as with Expect
    if (!request.headersSent) request.removeHeader('connection')
    limitDialTime(request, url)
    let interim = 0
    let bytesBefore = 0
    return request
      .on('socket', socket => {
        bytesBefore = socket.bytesRead
        if (!request.reusedSocket) hearLastWords(socket)
      })
      .on('information', () => {
        if (++interim > MAX_INTERIM) request.destroy(new UpstreamError(TOO_MANY_INTERIM))
      })
      .on('upgrade', ({statusCode = 0, rawHeaders}, socket) => {
        // closes the connection: Pillion has not requested an upgrade and does not speak the new protocol
        socket.destroy()
        this.#sink.respond(statusCode, rawHeaders, Readable.from([]))
      })
      .on('response', response => this.#handleResponse(response, url, adapted))
      .on('error', error => {
        if (this.#request !== request) return
        const {method, hasBody} = adapted
        const wasUsed = request.reusedSocket && request.socket?.bytesRead === bytesBefore
        const isRepeated = maySendAgain({method, hasBody, isUnprocessed: false, wasUsed})
        if (isRepeated) this.#send(url, adapted, newAgent(url, this.#options, false)).end()
        else this.#sink.fail(webError(error, url))
      })
  }

  #requestTo(
    url: URL,
    {method, path, pairs, hasBody}: AdaptedRequest,
    agent: RequestOptions['agent']
  ): RequestOptions & {secureContext?: SecureContext} {
    return {
      hostname: hostNameOf(url),
      port: url.port,
      method,
      path,
      headers: asWritten(['Host', url.host, ...withoutNamed(pairs, ['host'])], hasBody),
      agent,
      // accepts the same as Go: bare LF, folded headers, a length with chunks. The caller gets a newly encoded response.
      insecureHTTPParser: true,
      maxHeaderSize: HEAD_LIMIT,
      ...(url.protocol === 'https:' && {secureContext: contextOf(this.#options.credentials)})
    }
  }

  /** Delivers a response, or follows its redirect. */
  #handleResponse(response: IncomingMessage, url: URL, request: AdaptedRequest): void {
    const {statusCode = 0, rawHeaders, headers} = response
    const {followsRedirects, secretHeaders} = this.#options
    const isRepeatable = !this.#adapted.hasBody || this.#body !== undefined
    const location = followsRedirects ? headers.location : undefined
    const redirect = redirectAfter(statusCode, location, {url, request, isRepeatable}, secretHeaders)
    if (redirect.kind === 'none') return this.#sink.respond(statusCode, rawHeaders, response)
    discard(response)
    if (++this.#redirects > MAX_REDIRECTS)
      return this.#sink.fail(new UpstreamError(`stopped after ${MAX_REDIRECTS} redirects`))
    if (redirect.kind === 'invalid') return this.#sink.fail(new UpstreamError(redirect.why))
    const {url: to, request: next} = redirect
    try {
      this.#send(to, next, agentOf(to, this.#options)).end(next.hasBody ? this.#body : undefined)
    } catch (error) {
      this.#sink.fail(webError(error as Error, to)) // agentOf throws if the URL of the proxy is invalid
    }
  }
}

/** Reads the body of a redirect, so that its connection can be reused. Closes the connection if the body is large. */
function discard(response: IncomingMessage): void {
  let left = MAX_REDIRECT_BYTES
  response.on('data', ({length}: Buffer) => {
    if ((left -= length) < 0) response.destroy()
  })
}

/** Limits the time to establish a connection. */
function limitDialTime(request: ClientRequest, {host, protocol}: URL): void {
  const late = (): void => void request.destroy(new UpstreamError(`dial tcp ${host}: i/o timeout`))
  request.on('socket', socket => {
    if (!socket.connecting) return
    const stop = systemClock.after(DIAL_TIMEOUT_MS, late)
    socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', stop).once('close', stop)
  })
}
