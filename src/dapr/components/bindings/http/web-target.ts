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
  /** Replaces the URL in a text by the form that may be shown. */
  readonly shown: (text: string) => string
  /** The environment in which proxies are looked up. */
  readonly env: Environment
  /** 0: no limit. */
  readonly timeoutMs: number
  /** How many bytes of a body are kept, the rest is left out; 0: no limit. */
  readonly maxBytes: number
}

export interface WebRequest {
  readonly method: string
  /** Path that follows the URL after exactly one slash; '': the URL alone. */
  readonly path: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer | undefined
  /** Ends the request. */
  readonly signal?: AbortSignal | undefined
}

export type WebResponse = BindingResponse & {readonly status: number}

const NO_CERTIFICATES = {ca: '', cert: '', key: ''}

/** Sends requests, and reads their responses whole. */
export class WebTarget {
  readonly #options: WebTargetOptions
  readonly #web: WebOptions
  /** The `Authorization` for the user that the URL names; '': it names none. */
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

  /** Sends a request. Rejects for a path that leads out of the URL, else in the words of Go's client: `Get "http://…": dial tcp …: connect: connection refused`. */
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
    const callOff = timeoutMs > 0 ? systemClock.after(timeoutMs, late) : undefined
    try {
      return await promise
    } finally {
      callOff?.()
      signal?.removeEventListener('abort', cancel)
      this.#ends.delete(close)
    }
  }
}

/** Whether a URL stays below another, also for servers that decode `%2f` or treat `\` as a slash. */
function isWithin(url: string, base: string): boolean {
  const {origin, pathname} = new URL(url)
  const below = new URL(base).pathname.replace(/\/+$/, '')
  const isBelow = pathname === below || pathname.startsWith(`${below}/`)
  return isBelow && origin === new URL(base).origin && !decoded(pathname).split(/[/\\]/).includes('..')
}

/** `%2e` and `%2f` decoded. */
const decoded = (path: string): string =>
  path.replace(/%(2e|2f|5c)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

const latin1Of = (text: string): string => Buffer.from(text).toString('latin1')

/** A header name as Go writes it: `Content-Type`. */
const nameText = (name: string): string => name.toLowerCase().replace(/(?:^|-)[a-z]/g, first => first.toUpperCase())

/** Fields of one connection (RFC 9110 §7.6.1): they are not of the answer. */
const OF_CONNECTION =
  /^(?:connection|keep-alive|proxy-authenticate|proxy-authorization|proxy-connection|te|trailer|transfer-encoding|upgrade)$/i

/** Returns the headers, with repeated ones joined, and the status. */
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

/** The fields that `Connection` names. */
function* namedIn(fields: readonly string[]): Generator<string> {
  for (let at = 0; at < fields.length; at += 2)
    if (fields[at]?.toLowerCase() === 'connection') yield* (fields[at + 1] ?? '').toLowerCase().split(/[\s,]+/)
}
