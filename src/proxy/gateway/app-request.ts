import type {Protocol} from '../../model/call-protocol.ts'
import type {Call, Recorded, SentRequest} from '../../model/call.ts'
import type {CallHandler} from '../net/exchange-parts.ts'
import type {CallJournal} from '../net/call-journal.ts'
import type {Exchange} from '../net/exchange.ts'
import type {UpstreamSource, Pool} from '../net/pool.ts'
import type {ResponseHead} from '../net/http1/response-head.ts'
import type {Reply} from '../net/reply.ts'
import {ResponseCollector} from '../net/response-collector.ts'
import type {Admission, Admit, Admitted, Denied, Held} from './admission.ts'
import {attemptInterceptor} from './interceptor.ts'
import type {AttemptControl} from './interceptors/resiliency/attempt.ts'
import type {OnGone} from './interceptors/resiliency/component-policies.ts'
import {admitTo, passed, type Callee} from './local-apps.ts'
import type {CallContext} from './call-context.ts'
import {RESET} from './faulted-call.ts'
import {ProxiedCall} from './proxied-call.ts'

export interface AppRequestOptions {
  readonly app: Callee | FarApp
  readonly context?: Partial<CallContext> | undefined
  /** Counts the request in metrics when it has ended. Omitted: the request is not counted. */
  readonly recorded?: Recorded | undefined
  /** Whether the body is a gRPC message. */
  readonly isGrpc?: boolean
  /** The calling app; omitted: the sidecar of the app sends the request. */
  readonly caller?: {readonly app: string; readonly protocol: Protocol} | undefined
  /** Name of the caller in the record, such as a topic or a binding; omitted: the sidecar. */
  readonly from?: string | undefined
  readonly method: string
  /** Path with the query, percent-encoded. */
  readonly path: string
  /** Header lines, each with its CRLF, without `Host`, `Content-Length` and the token. */
  readonly lines: string
  readonly body: Buffer
  /** Record of the call, if it has begun already. Omitted: the request creates it. */
  readonly journal?: CallJournal | undefined
  /** Cancels the request. */
  readonly signal?: AbortSignal | undefined
  /** Registers the function that cancels this request. Replaces `signal` where one listener list serves many requests. */
  readonly onStop?: OnGone | undefined
  /** Whether to send the request in any state of the app, since it belongs to the shutdown of its process. */
  readonly isForced?: boolean
  /** Attempt of a resiliency policy that makes this request. The attempt can end the request, and pauses its timeout while the request is queued. */
  readonly attempt?: AttemptControl | undefined
  readonly warn: (text: string) => void
}

/** An app of another run, called through a sidecar there. */
interface FarApp extends Pick<Callee, 'id'> {
  readonly admit: Admit
}

/** A response that was read completely. */
interface CollectedResponse {
  readonly status: number
  /** The header lines, each with its CRLF. */
  readonly lines: string
  readonly body: Buffer
}

/** Result of a request to an app. `unreachable`: there is no response. `wasSent`: the app may have received the request. */
export type AppResponse =
  | ({readonly kind: 'response'} & CollectedResponse)
  | {readonly kind: 'unreachable'; readonly why: string; readonly wasSent: boolean}

/** Maximum size of a response to the sidecar. Responses to Dapr's callbacks are always smaller. */
export const MAX_RESPONSE_BYTES = 16 * 1024 * 1024

/** Collects the response to one request, and reports it or the reason for its absence exactly once. */
class AppResponseCollector extends ResponseCollector {
  #done: ((result: CollectedResponse | string) => void) | undefined

  /** `done` is called with the response, or with the reason for its absence. */
  constructor(method: string, body: Buffer, handler: CallHandler, done: (result: CollectedResponse | string) => void) {
    super(method, body, handler, MAX_RESPONSE_BYTES)
    this.#done = done
  }

  protected collected(body: Buffer): void {
    this.#settle({status: this.status, lines: this.lines, body})
  }

  protected tooLarge(): void {
    this.#settle(`the response has more than ${this.maxBodyBytes} bytes`)
  }

  cut(why: string): void {
    this.#settle(why)
  }

  reply({status, type, body, bytes = Buffer.from(body)}: Reply): void {
    this.#settle({status, lines: `Content-Type: ${type}\r\n`, body: bytes})
  }

  /** Reports that there is no response. */
  failed(why: string): void {
    this.#settle(why)
    this.exchange.leave()
  }

  override reset(): void {
    this.#settle(RESET)
  }

  destroy(): void {
    this.#settle('an internal error')
  }

  #settle(result: CollectedResponse | string): void {
    const done = this.#done
    this.#done = undefined
    done?.(result)
  }
}

/** A request of the sidecar to its own app over HTTP: a callback, an event, input of a binding. Waits, like every call, while the app starts. */
export class AppRequest extends ProxiedCall {
  protected readonly exchange: Exchange
  protected readonly isInterceptable = true
  readonly #options: AppRequestOptions
  readonly #collector: AppResponseCollector
  readonly #done: (response: AppResponse) => void
  #wasSent = false

  constructor(options: AppRequestOptions, call: Call, done: (response: AppResponse) => void) {
    const {method, body, path, lines, attempt, caller, journal, recorded} = options
    // policies for calls between apps do not apply, and metrics of the sidecar's API do not count the request
    const context = {...options.context, interceptor: attempt && attemptInterceptor(attempt), recorded}
    const request: SentRequest = {protocol: caller?.protocol ?? 'none', method, path: path.replace(/\?.*$/s, ''), lines}
    super(context, call, request, body.length, journal)
    this.#options = options
    this.#done = done
    this.#collector = new AppResponseCollector(method, body, this, result => {
      this.note(typeof result === 'string' ? result : undefined)
      if (typeof result === 'string')
        done({kind: 'unreachable', why: result, wasSent: this.#wasSent || result === RESET})
      else done({kind: 'response', ...result})
    })
    this.exchange = this.#collector.exchange
  }

  /** Cancels the request, since its requester no longer waits. `why`: reason for the record and the result. */
  abandon(why: string): void {
    if (!this.passage.isOver) this.note(why)
    this.exchange.abort()
    this.#done({kind: 'unreachable', why, wasSent: this.#wasSent})
  }

  override refused(why: string): void {
    this.#wasSent = false
    super.refused(why)
  }

  ask(isRefused: boolean): Admission | Held {
    const {app, isForced} = this.#options
    if ('admit' in app) return app.admit(this.call, isRefused)
    if (isRefused) app.recheck()
    return isForced === true && !isRefused ? passed(this.call, app) : admitTo(app, this.call)
  }

  send({pool, token, callerLine = '', path = this.call.path}: Admitted): void {
    const {method, lines, body} = this.#options
    this.#wasSent = true
    const tokenLine = token === '' ? '' : `Dapr-Api-Token: ${token}\r\n`
    const length = body.length > 0 || method !== 'GET' ? `Content-Length: ${body.length}\r\n` : ''
    this.exchange.send(
      this.connectionsTo(pool),
      `${method} ${path} HTTP/1.1\r\nHost: ${pool.authority}\r\n${lines}${callerLine}${tokenLine}${length}\r\n`
    )
  }

  protected connectionsTo(pool: Pool): UpstreamSource {
    return pool
  }

  /** Hook of subclasses: writes the result to the record before the call ends. `failure`: why there is no response. */
  protected note(_failure: string | undefined): void {
    // the exchange writes the status of HTTP itself
  }

  protected responseHeaders({lines}: ResponseHead): string {
    return lines
  }

  protected replyDenied({error}: Denied): void {
    this.#collector.failed(error)
  }

  protected replyFailed(why: string): void {
    this.#collector.failed(why)
  }

  protected warnCut(): void {
    // the reason is part of the result, so that the log needs no warning
  }

  protected warn(text: string): void {
    this.#options.warn(text)
  }
}

/** Sends a request to an app and resolves with its response. Never rejects. */
export const requestApp = async (options: AppRequestOptions): Promise<AppResponse> =>
  sendToApp(options, (call, done) => new AppRequest(options, call, done))

/** Starts the request that `make` creates, and cancels it if `signal` or `onStop` demands it. */
export function sendToApp(
  options: AppRequestOptions,
  make: (call: Call, done: (response: AppResponse) => void) => AppRequest
): Promise<AppResponse> {
  const {app, method, path, from, signal, onStop, caller, isGrpc = false} = options
  return new Promise(resolve => {
    if (signal?.aborted === true) return resolve({kind: 'unreachable', why: 'it was given up', wasSent: false})
    const isOwn = caller === undefined
    const own: Call = {caller: caller?.app ?? app.id, callee: app.id, method, path, isOwn, isGrpc, from}
    const call = options.journal?.call ?? own
    const abandon = (): void => request.abandon('it was given up')
    const request = make(call, response => {
      signal?.removeEventListener('abort', abandon)
      resolve(response)
    })
    signal?.addEventListener('abort', abandon, {once: true})
    onStop?.(abandon)
    request.start()
  })
}
