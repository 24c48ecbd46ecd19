import {hostname} from 'node:os'
import type {Admission, Admitted, Denied, Held} from '../gateway/admission.ts'
import {ProxiedCall, type CallContext} from '../gateway/proxied-call.ts'
import type {SentRequest} from '../model/call.ts'
import type {CallHandler} from '../net/call-handler.ts'
import type {Exchange} from '../net/exchange.ts'
import type {ResponseHead} from '../net/http1/response-head.ts'
import type {Failure} from '../net/http1/upstream.ts'
import type {Copy} from '../net/mirror.ts'
import {answerRules, HAS_LOCATION, type CallFields} from './fields.ts'
import {BAD_GATEWAY, NOT_FOUND} from './replies.ts'
import type {Service} from './service.ts'
import {rewriteLocation, type Target} from './target.ts'

/** What all calls to services through one listener share. */
export interface ServiceCallContext extends CallContext {
  /** App id of the caller; `outside` at the manager's own port. */
  readonly caller: string
  readonly warn: (text: string) => void
}

export interface ServiceCallOptions {
  readonly context: ServiceCallContext
  readonly service: Service
  readonly request: SentRequest
  readonly target: Target
  readonly fields: CallFields
  /** More lines for the service: what asks for a websocket. */
  readonly extraLines: string
  readonly exchange: (handler: CallHandler) => Exchange
}

const TAKES_BODY = new Set(['POST', 'PUT', 'PATCH'])

const SERVER = hostname()

/** One call to a service: the prefix is taken off its path, and put back into redirects; errors are those of Traefik. */
export class ServiceCall extends ProxiedCall {
  readonly rules = answerRules
  readonly copy: Copy | undefined
  protected readonly sentTrace = ''
  protected readonly isInterceptable = false
  protected readonly exchange: Exchange
  readonly #options: ServiceCallOptions

  constructor(options: ServiceCallOptions) {
    const {context, service, request, target, fields, extraLines, exchange} = options
    const {method} = request
    const call = {caller: context.caller, callee: service.name, method, path: target.path}
    super(context, call, request, fields.length)
    this.#options = options
    const isPlain = extraLines === ''
    this.copy = isPlain ? service.copy?.({method, path: target.path, headFor: () => this.#head()}) : undefined
    this.exchange = exchange(this)
  }

  protected ask(isRefused: boolean): Admission | Held {
    return this.#options.service.admit(this.call, isRefused)
  }

  protected send({pool, pathPrefix, token, callerLine}: Admitted): void {
    const {fields, extraLines} = this.#options
    const {length, hasLength} = fields
    const framing =
      length < 0
        ? 'Transfer-Encoding: chunked\r\n'
        : hasLength || TAKES_BODY.has(this.call.method)
          ? `Content-Length: ${length.toString()}\r\n`
          : ''
    // Another run's sidecar is told for whom we speak; a service is not.
    const tokenLine = token === '' ? '' : `Dapr-Api-Token: ${token}\r\n`
    const delegation = callerLine === undefined ? '' : tokenLine + callerLine
    this.exchange.send(pool, `${this.#head(pathPrefix)}${delegation}${extraLines}${framing}\r\n`)
  }

  protected responseHeaders(head: ResponseHead): string {
    if ((head.flags & HAS_LOCATION) === 0) return head.lines
    const {service, target, fields} = this.#options
    const {name, version} = service
    return head.lines.replaceAll(
      /^(location:[ \t]*)(.*?)[ \t]*\r$/gim,
      (_, start: string, location: string) =>
        `${start}${rewriteLocation({location, host: fields.host, name, version, segment: target.segment})}\r`
    )
  }

  protected replyDenied({isUnknown, error}: Denied): void {
    if (isUnknown === true) this.exchange.reply(NOT_FOUND)
    else this.replyFailed(error)
  }

  protected replyFailed(why: string, failure?: Failure): void {
    this.warn(why)
    this.exchange.reply(failure === 'bad-status' ? {...BAD_GATEWAY, body: `${BAD_GATEWAY.body}: ${why}`} : BAD_GATEWAY)
  }

  protected warnCut(why: string): void {
    this.warn(`the answer broke off, and the caller was cut off: ${why}`)
  }

  protected warn(text: string): void {
    this.#options.context.warn(`${this.#describe()}: ${text}`)
  }

  #describe(): string {
    const {segment, path} = this.#options.target
    return `${this.call.method} /services/${segment}${path}`
  }

  /** Without the lines that tell the body's length, and without the empty line. */
  #head(pathPrefix = ''): string {
    const {fields, target} = this.#options
    const {host, lines, peer} = fields
    const port = /:(\d+)$/.exec(host)?.[1] ?? '80'
    return (
      `${this.call.method} ${pathPrefix}${target.path} HTTP/1.1\r\nHost: ${host}\r\n${lines}` +
      `X-Forwarded-For: ${peer}\r\nX-Forwarded-Host: ${host}\r\nX-Forwarded-Port: ${port}\r\n` +
      `X-Forwarded-Prefix: /services/${target.segment}\r\nX-Forwarded-Proto: http\r\n` +
      `X-Forwarded-Server: ${SERVER}\r\nX-Real-Ip: ${peer}\r\n`
    )
  }
}
