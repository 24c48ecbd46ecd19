import type {Agent, ClientRequest, IncomingMessage, RequestOptions} from 'node:http'
import {Readable, type Writable} from 'node:stream'
import type {SecureContext} from 'node:tls'
import {codeOf} from '../model/errors.ts'
import {HEAD_LIMIT, MAX_INTERIM, TOO_MANY_INTERIM} from './http1/response-head.ts'
import {ProtocolAdapter, type AdaptedRequest, type RemoteSide, type Return} from './protocol-adapter.ts'
import {WordedError, type Dial} from './dialer.ts'
import {alertText} from './tls-alert.ts'

/** Keys and certificates, PEM. */
export interface Credentials {
  /** Whom to believe besides those whom everybody believes; '' = nobody. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface WebOptions {
  /** Scheme, host and port; the rest of it means nothing here. */
  readonly origin: URL
  /** The callee's certificate is always verified. */
  readonly credentials: Credentials
  /** Redirects are followed, ten at most, as Go's client does. */
  readonly followsRedirects: boolean
  /** Names (small letters) of fields that no other host is to see. */
  readonly secretFields: readonly string[]
}

type Web = Pick<typeof import('node:https'), 'request'> & {readonly Agent: new (options: object) => Agent}

const webOf = (protocol: string): Web =>
  protocol === 'https:' ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http')

const DIAL_MS = 15_000
const MAX_REDIRECTS = 10
const WITH_GET = new Set([301, 302, 303])
const WITH_THE_SAME = new Set([307, 308])

const CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is not valid for the host that was called',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate signed by unknown authority'
}

/** What Go would say; users know these words. */
const worded = (error: Error, {hostname, host, port}: URL): Error => {
  const code = codeOf(error)
  const certificate = CERTIFICATES[code]
  if (certificate !== undefined) return new WordedError(`tls: failed to verify certificate: x509: ${certificate}`)
  if (code === 'ECONNREFUSED')
    return new WordedError(`dial tcp ${port === '' ? hostname : host}: connect: connection refused`)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return new WordedError(`dial tcp: lookup ${hostname}: no such host`)
  if (code === 'ECONNRESET') return new WordedError('EOF')
  const alert = alertText(error)
  if (alert !== '') return new WordedError(alert)
  if (code.startsWith('HPE_')) return new WordedError(`malformed HTTP response (${error.message})`)
  return error instanceof WordedError ? error : new WordedError(error.message)
}

/** A client of the web behind a bridge. */
export const webDial = (options: WebOptions): Dial => {
  const scheme = options.origin.protocol === 'https:' ? 'https' : 'http'
  return {scheme, opens: 'connect', open: () => new ProtocolAdapter(({opened}) => remoteOf(options, opened))}
}

function remoteOf(options: WebOptions, opened: () => void): RemoteSide {
  let current: Exchange | undefined
  process.nextTick(opened)
  return {
    request: (adapted, back) => {
      current = new Exchange(options, adapted, back)
      return current.start()
    },
    end: () => current?.end()
  }
}

/** One request and the redirects behind it. */
class Exchange {
  readonly #options: WebOptions
  readonly #adapted: AdaptedRequest
  readonly #back: Return
  #request: ClientRequest | undefined
  #redirects = 0

  constructor(options: WebOptions, adapted: AdaptedRequest, back: Return) {
    this.#options = options
    this.#adapted = adapted
    this.#back = back
  }

  start(): Writable {
    const {method, path, pairs, hasBody} = this.#adapted
    const url = new URL(this.#options.origin.origin)
    return this.#send(url, {method, path, pairs, hasBody})
  }

  end(): void {
    this.#request?.destroy()
  }

  #send(url: URL, {method, path, pairs, hasBody}: AdaptedRequest): Writable {
    const options: RequestOptions & {secureContext?: SecureContext} = {
      hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port,
      method,
      path,
      headers: headersOf(withHost(pairs, url.host), hasBody),
      agent: agentOf(url.protocol, this.#options),
      // Go reads line ends without CR, folded fields, and a length beside chunks; what is read is written anew.
      insecureHTTPParser: true,
      maxHeaderSize: HEAD_LIMIT,
      ...(url.protocol === 'https:' && {secureContext: contextOf(this.#options.credentials)})
    }
    const request = webOf(url.protocol).request(options)
    this.#request = request
    // node:http would say `Connection: keep-alive`, and says it at once to who expects leave to go on.
    if (!request.headersSent) request.removeHeader('connection')
    boundDial(request, url)
    let interim = 0
    return request
      .on('information', () => {
        if (++interim > MAX_INTERIM) request.destroy(new WordedError(TOO_MANY_INTERIM))
      })
      .on('upgrade', ({statusCode = 0, rawHeaders}, socket) => {
        // Nobody asked for it, and nobody speaks what comes now.
        socket.destroy()
        this.#back.answer(statusCode, rawHeaders, Readable.from([]))
      })
      .on('response', response => this.#answered(response, {url, method, path, pairs}))
      .on('error', error => {
        if (this.#request === request) this.#back.fail(worded(error, url))
      })
  }

  #answered(response: IncomingMessage, from: {url: URL; method: string; path: string; pairs: readonly string[]}): void {
    const {statusCode = 0, rawHeaders, headers} = response
    const {method, hasBody} = this.#adapted
    const isFollowed =
      this.#options.followsRedirects &&
      headers.location !== undefined &&
      (WITH_GET.has(statusCode) || (WITH_THE_SAME.has(statusCode) && !hasBody))
    if (!isFollowed) return this.#back.answer(statusCode, rawHeaders, response)
    response.resume()
    if (++this.#redirects > MAX_REDIRECTS)
      return this.#back.fail(new WordedError(`stopped after ${MAX_REDIRECTS.toString()} redirects`))
    const to = whereTo(headers.location ?? '', from)
    if (to === undefined)
      return this.#back.fail(new WordedError(`failed to parse Location header "${headers.location ?? ''}"`))
    const isSame = WITH_THE_SAME.has(statusCode) || method === 'HEAD'
    const dropped = [
      ...(isSame ? [] : ['content-length', 'content-type']),
      // Another host is not to learn what was meant for this one.
      ...(to.host === from.url.host && to.protocol === from.url.protocol
        ? []
        : ['authorization', 'cookie', 'dapr-api-token', ...this.#options.secretFields])
    ]
    const pairs = without(from.pairs, dropped)
    this.#send(to, {method: isSame ? method : 'GET', path: to.pathname + to.search, pairs, hasBody: false}).end()
  }
}

function whereTo(location: string, {url, path}: {url: URL; path: string}): URL | undefined {
  const base = new URL(path, url)
  if (!URL.canParse(location, base.href)) return undefined
  const to = new URL(location, base)
  return to.protocol === 'http:' || to.protocol === 'https:' ? to : undefined
}

const without = (pairs: readonly string[], names: readonly string[]): readonly string[] =>
  pairs.filter((_, at) => !names.includes((pairs[at - (at % 2)] ?? '').toLowerCase()))

const withHost = (pairs: readonly string[], host: string): string[] => ['Host', host, ...without(pairs, ['host'])]

/**
 * Names and values as node:http takes them, each name as it came first. A body without a length goes in chunks: by itself
 * node:http frames none of a GET or DELETE.
 */
function headersOf(pairs: readonly string[], hasBody: boolean): Record<string, string | string[]> {
  const names = new Map<string, string>()
  const headers = Object.create(null) as Record<string, string | string[]>
  for (let at = 0; at < pairs.length; at += 2) {
    const written = pairs[at] ?? ''
    const name = names.get(written.toLowerCase()) ?? written
    names.set(written.toLowerCase(), name)
    const value = pairs[at + 1] ?? ''
    const known = headers[name]
    headers[name] = known === undefined ? value : [known, value].flat()
  }
  return hasBody && !names.has('content-length') ? {...headers, 'Transfer-Encoding': 'chunked'} : headers
}

/** A connection that does not come about in time. */
function boundDial(request: ClientRequest, {host, protocol}: URL): void {
  request.on('socket', socket => {
    if (!socket.connecting) return
    const late = setTimeout(() => request.destroy(new WordedError(`dial tcp ${host}: i/o timeout`)), DIAL_MS)
    const stop = (): void => clearTimeout(late)
    socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', stop).once('close', stop)
  })
}

const contexts = new WeakMap<Credentials, SecureContext>()

/** Made once for all connections with the same credentials: to read every root certificate takes tens of milliseconds. */
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

/** Connections are kept by those who have the same credentials. */
function agentOf(protocol: string, options: WebOptions): Agent {
  const own = agents.get(options) ?? new Map<string, Agent>()
  agents.set(options, own)
  const agent = own.get(protocol) ?? new (webOf(protocol).Agent)({keepAlive: true})
  own.set(protocol, agent)
  return agent
}
