import type {Agent, ClientRequest, IncomingMessage, RequestOptions} from 'node:http'
import {Readable, type Writable} from 'node:stream'
import type {SecureContext} from 'node:tls'
import type {Environment} from '../../model/environment.ts'
import {codeOf} from '../../model/errors.ts'
import {systemClock} from '../../platform/clock.ts'
import {asWritten} from './http1/header-lines.ts'
import {HEAD_LIMIT, MAX_INTERIM, TOO_MANY_INTERIM} from './http1/response-head.ts'
import {owned} from '../../platform/shared-reads.ts'
import type {AdaptedRequest, Connect, RemoteSink, RequestBody} from './remote-side.ts'
import {maySendAgain} from './request-body.ts'
import {hearLastWords, UpstreamError} from './dialer.ts'
import {alertText} from '../../model/tls-alert.ts'
import {ownOf} from '../../model/own.ts'
import {hostNameOf, proxyOf} from './proxy-of.ts'

/** Certificates and keys, PEM. */
export interface Credentials {
  /** Certificates trusted besides the public CAs; '' = none. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface WebOptions {
  /** Scheme, host and port; the rest is ignored. */
  readonly origin: URL
  /** The callee's certificate is always verified. */
  readonly credentials: Credentials
  /** Follow redirects, ten at most, as Go's client does. */
  readonly followsRedirects: boolean
  /** Names (lower case) of headers that no other host may receive. */
  readonly secretHeaders: readonly string[]
  /** The environment in which HTTP_PROXY, HTTPS_PROXY and NO_PROXY are looked up; omitted: no proxy is used. */
  readonly env?: Environment
}

type Web = Pick<typeof import('node:https'), 'request'> & {readonly Agent: new (options: object) => Agent}

const webOf = (protocol: string): Web =>
  protocol === 'https:' ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http')

const DIAL_TIMEOUT_MS = 15_000
const MAX_REDIRECTS = 10
/** Maximum body of a redirect that is read; with a larger one the connection is closed (Go: net/http, maxBodySlurpSize). */
const MAX_REDIRECT_BYTES = 2048
const REDIRECT_AS_GET = new Set([301, 302, 303])
const REDIRECT_UNCHANGED = new Set([307, 308])

const CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is not valid for the host that was called',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate signed by unknown authority'
}

/** Returns the error in Go's words, which users of Dapr know. */
const worded = (error: Error, {hostname, host, port}: URL): Error => {
  const code = codeOf(error)
  const certificate = ownOf(CERTIFICATES, code)
  if (certificate !== undefined) return new UpstreamError(`tls: failed to verify certificate: x509: ${certificate}`)
  if (code === 'ECONNREFUSED')
    return new UpstreamError(`dial tcp ${port === '' ? hostname : host}: connect: connection refused`)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new UpstreamError(`dial tcp: lookup ${hostname}: no such host`)
  if (code === 'ECONNRESET') return new UpstreamError('EOF')
  const alert = alertText(error)
  if (alert !== '') return new UpstreamError(alert)
  if (code.startsWith('HPE_')) return new UpstreamError(`malformed HTTP response (${error.message})`)
  return error instanceof UpstreamError ? error : new UpstreamError(error.message)
}

/** Receives the result of a request: one response, or a failure. */
interface ResponseSink {
  respond(status: number, pairs: readonly string[], body: Readable): void
  fail(error: Error): void
}

/** Calls an external URL. Each call becomes a request of node:http, with its redirects. */
export const connectWeb =
  (options: WebOptions): Connect =>
  ({opened}) => {
    let current: WebRequest | undefined
    let response: Readable | undefined
    process.nextTick(opened)
    return {
      request: (adapted, sink) => {
        current = new WebRequest(options, adapted, {
          respond: (status, pairs, body) => {
            response = body
            sink.respond(status, pairs)
            pass(body, sink)
          },
          fail: error => sink.fail(error)
        })
        return bodyOf(current.start(), adapted.hasBody, sink)
      },
      resume: () => response?.resume(),
      end: isWhole => {
        if (isWhole) return void response?.resume() // the connection stays open for the next request
        response?.destroy()
        current?.end()
      }
    }
  }

const pass = (body: Readable, sink: RemoteSink): void =>
  void body
    .on('data', (piece: Buffer) => void (sink.data(piece) || body.pause()))
    .on('end', () => sink.end())
    .on('error', error => sink.fail(error))
    .on('close', () => sink.fail(new UpstreamError('unexpected EOF')))

/** The body of a request that is written to a stream, which a callee that has answered may have closed. */
function bodyOf(stream: Writable, hasBody: boolean, sink: RemoteSink): RequestBody {
  if (hasBody) stream.on('drain', () => sink.drain())
  else stream.end()
  return {
    write: (bytes, isLast) => {
      const isTaken = bytes === undefined || stream.destroyed || stream.writableEnded || stream.write(owned(bytes))
      if (isLast) stream.end()
      return isTaken
    }
  }
}

/** Sends a request with a known body to an external URL. The returned function cancels it. */
export function requestWeb(options: WebOptions, adapted: AdaptedRequest, sink: ResponseSink, body: Buffer): () => void {
  const request = new WebRequest(options, adapted, sink, body)
  request.start().end(body)
  return () => request.end()
}

/** A request and its redirects. */
class WebRequest {
  readonly #options: WebOptions
  readonly #adapted: AdaptedRequest
  readonly #sink: ResponseSink
  /** The body, if it is known, to be repeated after a redirect. */
  readonly #body: Buffer | undefined
  #request: ClientRequest | undefined
  #redirects = 0

  constructor(options: WebOptions, adapted: AdaptedRequest, sink: ResponseSink, body?: Buffer) {
    this.#options = options
    this.#adapted = adapted
    this.#sink = sink
    this.#body = body
  }

  start(): Writable {
    const {method, path, pairs, hasBody} = this.#adapted
    return this.#send(new URL(this.#options.origin.origin), {method, path, pairs, hasBody})
  }

  end(): void {
    const request = this.#request
    this.#request = undefined
    request?.destroy()
  }

  /** `isNew`: over a connection of its own. */
  #send(url: URL, adapted: AdaptedRequest, isNew = false): Writable {
    const {method, path, pairs, hasBody} = adapted
    const options: RequestOptions & {secureContext?: SecureContext} = {
      hostname: hostNameOf(url),
      port: url.port,
      method,
      path,
      headers: asWritten(withHost(pairs, url.host), hasBody),
      agent: isNew ? newAgent(url, this.#options, false) : agentOf(url, this.#options),
      // Accept the same as Go: bare LF, folded headers, both length and chunks; we re-encode everything.
      insecureHTTPParser: true,
      maxHeaderSize: HEAD_LIMIT,
      ...(url.protocol === 'https:' && {secureContext: contextOf(this.#options.credentials)})
    }
    const request = webOf(url.protocol).request(options)
    this.#request = request
    // node:http would add `Connection: keep-alive`; with Expect it has already sent its headers.
    if (!request.headersSent) request.removeHeader('connection')
    limitDialTime(request, url)
    let interim = 0
    let heard = 0
    return request
      .on('socket', socket => {
        heard = socket.bytesRead
        if (!request.reusedSocket) hearLastWords(socket)
      })
      .on('information', () => {
        if (++interim > MAX_INTERIM) request.destroy(new UpstreamError(TOO_MANY_INTERIM))
      })
      .on('upgrade', ({statusCode = 0, rawHeaders}, socket) => {
        // An upgrade was not requested, and we do not speak the new protocol.
        socket.destroy()
        this.#sink.respond(statusCode, rawHeaders, Readable.from([]))
      })
      .on('response', response => this.#handleResponse(response, url, adapted))
      .on('error', error => {
        if (this.#request !== request) return
        const wasUsed = request.reusedSocket && request.socket?.bytesRead === heard
        if (maySendAgain({method, hasBody, isUnprocessed: false, wasUsed})) this.#send(url, adapted, true).end()
        else this.#sink.fail(worded(error, url))
      })
  }

  #handleResponse(response: IncomingMessage, url: URL, {method, path, pairs, hasBody}: AdaptedRequest): void {
    const {statusCode = 0, rawHeaders, headers} = response
    const isFollowed =
      this.#options.followsRedirects &&
      Boolean(headers.location) &&
      (REDIRECT_AS_GET.has(statusCode) ||
        (REDIRECT_UNCHANGED.has(statusCode) && (!this.#adapted.hasBody || this.#body !== undefined)))
    if (!isFollowed) return this.#sink.respond(statusCode, rawHeaders, response)
    let left = MAX_REDIRECT_BYTES
    response.on('data', ({length}: Buffer) => {
      if ((left -= length) < 0) response.destroy()
    })
    if (++this.#redirects > MAX_REDIRECTS)
      return this.#sink.fail(new UpstreamError(`stopped after ${MAX_REDIRECTS} redirects`))
    const to = whereTo(headers.location ?? '', url, path)
    if (to === undefined)
      return this.#sink.fail(new UpstreamError(`failed to parse Location header "${headers.location ?? ''}"`))
    const isSame = REDIRECT_UNCHANGED.has(statusCode) || method === 'HEAD'
    const dropped = [
      ...(isSame ? [] : ['content-length', 'content-type']),
      // Another host must not get these headers.
      ...(to.host === url.host && to.protocol === url.protocol
        ? []
        : ['authorization', 'cookie', 'dapr-api-token', ...this.#options.secretHeaders])
    ]
    const isSent = isSame && hasBody
    const next = {method: isSame ? method : 'GET', path: to.pathname + to.search, hasBody: isSent}
    try {
      this.#send(to, {...next, pairs: without(pairs, dropped)}).end(isSent ? this.#body : undefined)
    } catch (error) {
      this.#sink.fail(worded(error as Error, to)) // the URL of its proxy is not valid
    }
  }
}

function whereTo(location: string, url: URL, path: string): URL | undefined {
  // joined as text, since a path may begin with two slashes
  const base = new URL(url.origin + path)
  if (!URL.canParse(location, base.href)) return undefined
  const to = new URL(location, base)
  return to.protocol === 'http:' || to.protocol === 'https:' ? to : undefined
}

const without = (pairs: readonly string[], names: readonly string[]): readonly string[] =>
  pairs.filter((_, at) => !names.includes((pairs[at - (at % 2)] ?? '').toLowerCase()))

const withHost = (pairs: readonly string[], host: string): string[] => ['Host', host, ...without(pairs, ['host'])]

/** Limits the time to establish a connection. */
function limitDialTime(request: ClientRequest, {host, protocol}: URL): void {
  const late = (): void => void request.destroy(new UpstreamError(`dial tcp ${host}: i/o timeout`))
  request.on('socket', socket => {
    if (!socket.connecting) return
    const stop = systemClock.after(DIAL_TIMEOUT_MS, late)
    socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', stop).once('close', stop)
  })
}

const contexts = new WeakMap<Credentials, SecureContext>()

/** Returns the TLS context of credentials, created once: parsing all root certificates takes tens of ms. */
function contextOf(credentials: Credentials): SecureContext {
  const {createSecureContext, rootCertificates} = process.getBuiltinModule('node:tls')
  const {ca, cert, key} = credentials
  const context =
    contexts.get(credentials) ??
    createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca !== '' && {ca: [...rootCertificates, ca]}),
      ...(cert !== '' && {cert, key})
    })
  contexts.set(credentials, context)
  return context
}

const agents = new WeakMap<WebOptions, Map<string, Agent>>()

/** Requests with the same credentials share connections. */
function agentOf(url: URL, options: WebOptions): Agent {
  const key = url.protocol + proxyOf(url, options.env ?? {})
  const own = agents.get(options) ?? new Map<string, Agent>()
  agents.set(options, own)
  const agent = own.get(key) ?? newAgent(url, options, true)
  own.set(key, agent)
  return agent
}

function newAgent(url: URL, options: WebOptions, keepAlive: boolean): Agent {
  const proxy = proxyOf(url, options.env ?? {})
  const proxyEnv = proxy === '' ? undefined : {http_proxy: proxy, https_proxy: proxy}
  return new (webOf(url.protocol).Agent)({keepAlive, proxyEnv})
}
