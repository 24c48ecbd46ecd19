import {ProxiedCall, type CallContext} from '../../gateway/proxied-call.ts'
import type {Admission, Admit, Admitted, Denied, Held} from '../../gateway/admission.ts'
import type {SentRequest} from '../../model/call.ts'
import type {CallHandler} from '../../net/call-handler.ts'
import {TOO_LARGE, type Exchange} from '../../net/exchange.ts'
import {withoutHeaders} from '../../net/http1/header-lines.ts'
import type {ResponseHead} from '../../net/http1/response-head.ts'
import type {Failure} from '../../net/http1/upstream.ts'
import type {Copy, CopyOf} from '../../net/mirror.ts'
import type {Reply} from '../../net/reply.ts'
import {channelError, invokeError} from './errors.ts'
import {answerRules, HAS_CONTENT_TYPE, HAS_TRACEPARENT, type RequestFields} from './fields.ts'
import type {Target} from './target.ts'

/** Takes copies of the calls to an app for its shadows; undefined where it has none. */
export type CopierOf = (callee: string) => ((of: CopyOf) => Copy) | undefined

/** What all calls through one sidecar have in common. */
export interface SidecarContext extends CallContext {
  readonly appId: string
  readonly admit: Admit
  readonly maxBodyBytes: number
  /** The own app's APP_API_TOKEN, '' = none. */
  readonly appToken: string
  readonly warn: (text: string) => void
  readonly copierOf?: CopierOf | undefined
  /** The lines that introduce this sidecar to a callee. */
  callerHeaders(callee: string, isLocal: boolean): string
}

export interface InvocationOptions {
  readonly sidecar: SidecarContext
  readonly request: SentRequest
  readonly target: Target
  readonly fields: Pick<RequestFields, 'lines' | 'length' | 'framing' | 'apiToken' | 'baggage'>
  /** For the callee; '' = passed as the caller sent them. */
  readonly trace: string
  /** For the caller, where the app says nothing itself. */
  readonly answerTrace: string
  /** More lines for the callee: what asks for a websocket. */
  readonly extraLines: string
  readonly exchange: (handler: CallHandler) => Exchange
}

const VERBS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'])

/** Dapr knows eight verbs; any other one reaches the app as POST (pkg/messaging/v1/invoke_method_request.go). */
export const verbOf = (method: string): string => (VERBS.has(method) ? method : 'POST')

const TAKES_BODY = new Set(['POST', 'PUT', 'PATCH'])

const BAD_GATEWAY = 502

/** One call through a sidecar: errors and headers as Dapr's contract has them, both ways. */
export class Invocation extends ProxiedCall {
  readonly rules = answerRules
  readonly copy: Copy | undefined
  protected readonly exchange: Exchange
  readonly #options: InvocationOptions

  constructor(options: InvocationOptions) {
    const {sidecar, target, fields, request, exchange} = options
    const call = {caller: sidecar.appId, callee: target.id, method: verbOf(request.method), path: target.path}
    super(sidecar, call, request, fields.length)
    this.#options = options
    this.copy = this.#copy()
    this.exchange = exchange(this)
  }

  protected get isInterceptable(): boolean {
    const {extraLines, target} = this.#options
    return extraLines === '' && target.fault === ''
  }

  protected get sentTrace(): string {
    return this.#options.trace
  }

  protected ask(isRefused: boolean): Admission | Held {
    const {sidecar, target, fields} = this.#options
    const {maxBodyBytes} = sidecar
    if (target.fault !== '') return {ok: false, status: 500, error: target.fault}
    if (maxBodyBytes > 0 && fields.length > maxBodyBytes) return {ok: false, status: 500, error: TOO_LARGE}
    return sidecar.admit(this.call, isRefused)
  }

  protected send(admitted: Admitted): void {
    const {sidecar, target, fields, extraLines} = this.#options
    const framing = fields.framing === '' && TAKES_BODY.has(this.call.method) ? 'Content-Length: 0\r\n' : fields.framing
    if (admitted.external !== undefined) return this.#sendOutside(admitted, admitted.external, framing)
    const callerHeaders = sidecar.callerHeaders(target.id, admitted.isLocal) + (admitted.callerLine ?? '')
    this.exchange.send(admitted.pool, `${this.#head(admitted, callerHeaders)}${extraLines}${framing}\r\n`)
  }

  protected responseHeaders(head: ResponseHead): string {
    const {fields, answerTrace} = this.#options
    let lines = head.lines
    if ((head.flags & HAS_TRACEPARENT) === 0) lines += answerTrace
    if (fields.baggage.length > 0) lines += `Baggage: ${fields.baggage.join(',')}\r\n`
    // An error whose body Dapr would have read whole.
    if (head.status >= 400 && fields.length >= 0 && (head.flags & HAS_CONTENT_TYPE) === 0) {
      lines += 'Content-Type: application/json\r\n'
    }
    return lines
  }

  protected replyDenied({error, status}: Denied): void {
    this.#reply(invokeError(this.#options.target.sentId, error, status))
  }

  protected replyFailed(why: string, failure: Failure | undefined): void {
    const error = why === TOO_LARGE ? why : this.#describe(why)
    this.#reply(invokeError(this.#options.target.sentId, error, failure === 'bad-status' ? BAD_GATEWAY : undefined))
  }

  protected warn(text: string): void {
    this.#options.sidecar.warn(text)
  }

  protected warnCut(why: string): void {
    const {sidecar, target} = this.#options
    this.warn(`${target.id} broke off its answer to ${sidecar.appId}, who was cut off: ${this.#describe(why)}`)
  }

  #describe(why: string): string {
    const {pool, isLocal = false, external, pathPrefix = ''} = this.admitted ?? {}
    return channelError({
      isLocal,
      method: this.call.method,
      scheme: pool?.dial?.scheme ?? 'http',
      authority: pool?.authority ?? '',
      path: external === undefined ? this.call.path : this.#externalPath(pathPrefix, external.root),
      why: pool === undefined || pool.hint === '' ? why : `${why} (${pool.hint})`
    })
  }

  /** To somebody who is no app: no token travels, and no name of ours. */
  #sendOutside({pool, pathPrefix}: Admitted, external: NonNullable<Admitted['external']>, framing: string): void {
    const {trace, fields} = this.#options
    const {method} = this.call
    const path = this.#externalPath(pathPrefix, external.root)
    const lines = external.names.length === 0 ? fields.lines : withoutHeaders(fields.lines, external.names)
    this.exchange.send(
      pool,
      `${method} ${path} HTTP/1.1\r\nHost: ${pool.authority}\r\n${lines}${external.lines}${trace}${framing}\r\n`
    )
  }

  /** Nothing is added to a base path where no method is called. */
  #externalPath(prefix: string, root: string): string {
    const {path} = this.call
    return path === '/' || path.startsWith('/?') ? root + path.slice(1) : prefix + path
  }

  /** Up to the lines that tell the body's length. */
  #head(
    {pool, pathPrefix, isLocal, token: own}: Pick<Admitted, 'pool' | 'pathPrefix' | 'isLocal' | 'token'>,
    callerHeaders: string
  ): string {
    const {sidecar, trace, fields} = this.#options
    const {method, path} = this.call
    const token = own || (isLocal && sidecar.appToken) || fields.apiToken
    const tokenLine = token === '' ? '' : `Dapr-Api-Token: ${token}\r\n`
    return `${method} ${pathPrefix}${path} HTTP/1.1\r\nHost: ${pool.authority}\r\n${fields.lines}${trace}${callerHeaders}${tokenLine}`
  }

  /** Of a plain call, for the shadows of its callee. */
  #copy(): Copy | undefined {
    const {sidecar, target, extraLines} = this.#options
    const take = extraLines === '' && target.fault === '' ? sidecar.copierOf?.(target.id) : undefined
    return take?.({
      method: this.call.method,
      path: this.call.path,
      headFor: pool => {
        const isLocal = sidecar.appId === target.id
        return this.#head(
          {pool, pathPrefix: '', isLocal, token: sidecar.appToken},
          sidecar.callerHeaders(target.id, isLocal)
        )
      }
    })
  }

  #reply(answer: Reply): void {
    this.exchange.reply({...answer, lines: answer.lines + this.#options.answerTrace})
  }
}
