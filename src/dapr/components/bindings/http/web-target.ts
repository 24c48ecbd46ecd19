import type {Environment} from '../../../../model/environment.ts'
import {collectFirst} from '../../../../platform/collector.ts'
import type {WebOptions} from '../../../../proxy/net/web/web-agent.ts'
import {requestWeb} from '../../../../proxy/net/web/external-request.ts'
import {reasonOf} from '../../../../proxy/net/status.ts'
import type {BindingResponse} from '../../binding.ts'
import {systemClock} from '../../../../platform/clock.ts'
import {orElse} from '../../../../model/or-else.ts'
import {emptyRecord, ownOf} from '../../../../model/own.ts'
import {because} from '../../properties.ts'

interface WebTargetOptions extends Partial<Pick<WebOptions, 'credentials' | 'secretHeaders'>> {
  /** Base URL, to which paths are joined. */
  readonly url: string
  /** Hides secrets of the URL in a text. */
  readonly shown: (text: string) => string
  /** The environment, which may name proxies. */
  readonly env: Environment
  /** Maximum time for a response; 0: no limit. */
  readonly timeoutMs: number
  /** Number of bytes of a body to keep: the rest is dropped; 0: no limit. */
  readonly maxBytes: number
}

export interface WebRequest {
  readonly method: string
  /** Path to add to the URL after exactly one slash; '': none. */
  readonly path: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer | undefined
  readonly signal?: AbortSignal | undefined
}

export type WebResponse = BindingResponse & {readonly status: number}

const NO_CERTIFICATES = {ca: '', cert: '', key: ''}

/** Sends requests to paths below one URL, and reads whole responses. */
export class WebTarget {
  readonly #options: WebTargetOptions
  readonly #web: WebOptions
  /** `Authorization` header for the user in the URL; '': none. */
  readonly #login: string
  readonly #ends = new Set<() => void>()

  constructor(options: WebTargetOptions) {
    this.#options = options
    const {url, credentials = NO_CERTIFICATES, secretHeaders = [], env} = options
    const origin = new URL(url)
    this.#web = {origin, credentials, secretHeaders, env, followsRedirects: true}
    const login = [origin.username, origin.password].map(text => orElse(() => decodeURIComponent(text), text)).join(':')
    this.#login = login === ':' ? '' : `Basic ${Buffer.from(login).toString('base64')}`
  }

  /** Sends a request. Rejects for a path outside of the URL, else with the message of Go's client: `Get "http://…": dial tcp …: connection refused`. */
  async send(request: WebRequest): Promise<WebResponse> {
    const {method, path} = request
    const {url, shown} = this.#options
    const text = path === '' ? url : `${url.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`
    if (!isWithin(text, url)) throw new Error(`the path ${JSON.stringify(path)} leads out of ${shown(url)}`)
    const verb = method.slice(0, 1) + method.slice(1).toLowerCase()
    const failed = because(`${verb} ${JSON.stringify(shown(text))}`)
    return this.#send(new URL(text), request).catch(failed)
  }

  close(): void {
    for (const end of this.#ends) end()
  }

  async #send(url: URL, {method, headers, body, signal}: WebRequest): Promise<WebResponse> {
    const {promise, resolve, reject} = Promise.withResolvers<WebResponse>()
    const length = body === undefined ? [] : ['Content-Length', body.length.toString()]
    const hasLogin = [...headers.keys()].some(name => name.toLowerCase() === 'authorization')
    const login = this.#login === '' || hasLogin ? [] : ['Authorization', this.#login]
    const pairs = [...[...headers].flat().map(latin1Of), ...login, ...length]
    const adapted = {method, path: url.pathname + url.search, pairs, hasBody: body !== undefined}
    const sink = {
      respond: (status: number, fields: readonly string[], stream: AsyncIterable<Buffer>): void => {
        collectFirst(stream, this.#options.maxBytes).then(
          data => resolve({status, data, metadata: metadataOf(status, fields)}),
          reject
        )
      },
      fail: reject
    }
    const stop = requestWeb(this.#web, adapted, sink, body ?? Buffer.alloc(0))
    const end = (why: string): void => {
      reject(new Error(why))
      stop()
    }
    const close = (): void => end('the component is closed')
    this.#ends.add(close)
    const cancel = (): void => end('context canceled')
    if (signal?.aborted === true) cancel()
    signal?.addEventListener('abort', cancel)
    const {timeoutMs} = this.#options
    const late = (): void => end('context deadline exceeded')
    const cancelTimer = timeoutMs > 0 ? systemClock.after(timeoutMs, late) : undefined
    try {
      return await promise
    } finally {
      cancelTimer?.()
      signal?.removeEventListener('abort', cancel)
      this.#ends.delete(close)
    }
  }
}

/** Whether a URL is below another one, also for servers that decode `%2f` or treat `\` as a slash. */
function isWithin(url: string, base: string): boolean {
  const {origin, pathname} = new URL(url)
  const below = new URL(base).pathname.replace(/\/+$/, '')
  const isBelow = pathname === below || pathname.startsWith(`${below}/`)
  return isBelow && origin === new URL(base).origin && !decoded(pathname).split(/[/\\]/).includes('..')
}

/** Decodes `%2e`, `%2f` and `%5c`. */
const decoded = (path: string): string =>
  path.replace(/%(2e|2f|5c)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

const latin1Of = (text: string): string => Buffer.from(text).toString('latin1')

/** Writes a header name as Go does: `Content-Type`. */
const nameText = (name: string): string => name.toLowerCase().replace(/(?:^|-)[a-z]/g, first => first.toUpperCase())

/** Matches headers that concern only the connection (RFC 9110 §7.6.1). */
const OF_CONNECTION =
  /^(?:connection|keep-alive|proxy-authenticate|proxy-authorization|proxy-connection|te|trailer|transfer-encoding|upgrade)$/i

/** Returns the status and the headers as metadata. Joins repeated headers. */
function metadataOf(status: number, fields: readonly string[]): Record<string, string> {
  const metadata = emptyRecord<string>()
  const named = new Set(namedIn(fields))
  for (let at = 0; at < fields.length; at += 2) {
    const name = nameText(fields[at] ?? '')
    if (OF_CONNECTION.test(name) || named.has(name.toLowerCase())) continue
    const value = fields[at + 1] ?? ''
    metadata[name] = ownOf(metadata, name) === undefined ? value : `${metadata[name]}, ${value}`
  }
  return {...metadata, statusCode: status.toString(), status: `${status} ${reasonOf(status)}`.trim()}
}

/** Returns the headers that `Connection` names. */
function* namedIn(fields: readonly string[]): Generator<string> {
  for (let at = 0; at < fields.length; at += 2)
    if (fields[at]?.toLowerCase() === 'connection') yield* (fields[at + 1] ?? '').toLowerCase().split(/[\s,]+/)
}
