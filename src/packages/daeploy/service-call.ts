import {hostname} from 'node:os'
import type {Admission, Admitted, Denied, Held} from '../../proxy/gateway/admission.ts'
import type {CallContext} from '../../proxy/gateway/call-context.ts'
import {ProxiedCall} from '../../proxy/gateway/proxied-call.ts'
import type {CallerIdentity} from '../../proxy/gateway/caller-header.ts'
import type {SentRequest} from '../../model/call.ts'
import type {CallHandler} from '../../proxy/net/exchange-parts.ts'
import type {Exchange} from '../../proxy/net/exchange.ts'
import type {ResponseHead} from '../../proxy/net/http1/response-head.ts'
import type {Failure} from '../../proxy/net/upstream.ts'
import type {Copy} from '../../proxy/net/copy.ts'
import {serviceResponseRules, HAS_LOCATION, type CallHeaders} from './headers.ts'
import {BAD_GATEWAY, failure, NO_SUCH_PATH} from './replies.ts'
import type {NamedCallee} from '../../proxy/gateway/routes.ts'
import {rewriteLocation, type ServiceTarget} from './target.ts'

/** Data that all calls to services through one listener share. */
export interface ServiceCallContext extends CallContext {
  /** App id of the caller; `external` at the manager's own port. */
  readonly caller: string
  /** Identity of a caller in another run; omitted: the caller belongs to this run. */
  readonly identity?: CallerIdentity | undefined
  readonly warn: (text: string) => void
}

export interface ServiceCallOptions {
  readonly context: ServiceCallContext
  readonly service: NamedCallee
  readonly request: SentRequest
  readonly target: ServiceTarget
  readonly headers: CallHeaders
  /** Further header lines for the service, which request a WebSocket; '': none. */
  readonly extraLines: string
  readonly exchange: (handler: CallHandler) => Exchange
}

const TAKES_BODY = new Set(['POST', 'PUT', 'PATCH'])

const SERVER = hostname()

/** A call to a Daeploy service. Removes the prefix `/services/…` from the path and adds it to redirects. Errors are those of Traefik. */
export class ServiceCall extends ProxiedCall {
  override readonly rules = serviceResponseRules
  override readonly copy: Copy | undefined
  protected readonly isInterceptable = false
  protected readonly exchange: Exchange
  readonly #options: ServiceCallOptions

  constructor(options: ServiceCallOptions) {
    const {context, service, request, target, headers, extraLines, exchange} = options
    const {method} = request
    const call = {caller: context.caller, callee: service.name, method, path: target.path}
    super(context, call, request, headers.length)
    this.#options = options
    const isPlain = extraLines === ''
    this.copy = isPlain
      ? service.copy?.({caller: context.caller, method, path: target.path, headFor: () => this.#head()})
      : undefined
    this.exchange = exchange(this)
  }

  ask(isRefused: boolean): Admission | Held {
    const {service, context} = this.#options
    return service.admit(this.call, isRefused, context.identity)
  }

  send({pool, pathPrefix, token, callerLine, path}: Admitted): void {
    const {headers, extraLines} = this.#options
    const {length, hasLength} = headers
    const framing =
      length < 0
        ? 'Transfer-Encoding: chunked\r\n'
        : hasLength || TAKES_BODY.has(this.call.method)
          ? `Content-Length: ${length}\r\n`
          : ''
    // only a sidecar of another run gets the headers that name the caller
    const tokenLine = token === '' ? '' : `Dapr-Api-Token: ${token}\r\n`
    const delegation = callerLine === undefined ? '' : tokenLine + callerLine
    this.exchange.send(pool, `${this.#head(pathPrefix, path)}${delegation}${extraLines}${framing}\r\n`)
  }

  protected responseHeaders(head: ResponseHead): string {
    if ((head.flags & HAS_LOCATION) === 0) return head.lines
    const {service, target, headers} = this.#options
    const {name, version} = service
    return head.lines.replaceAll(
      /^(location:[ \t]*)(.*)\r$/gim,
      (_, start: string, location: string) =>
        `${start}${rewriteLocation({location: location.trimEnd(), host: headers.host, name, version, segment: target.segment})}\r`
    )
  }

  protected replyDenied({isUnknown, status, error}: Denied): void {
    if (isUnknown === true) this.exchange.reply(NO_SUCH_PATH)
    else if (status === 403) this.exchange.reply(failure(403, error))
    else this.replyFailed(error)
  }

  protected replyFailed(why: string, how?: Failure): void {
    this.warn(why)
    this.exchange.reply(how === 'bad-status' ? {...BAD_GATEWAY, body: `${BAD_GATEWAY.body}: ${why}`} : BAD_GATEWAY)
  }

  protected warnCut(why: string): void {
    this.warn(`the connection closed within the response: ${why}`)
  }

  protected warn(text: string): void {
    this.#options.context.warn(`${this.#describe()}: ${text}`)
  }

  #describe(): string {
    const {segment, path} = this.#options.target
    return `${this.call.method} /services/${segment}${path}`
  }

  /** Returns the head of the request, without the headers about the body's length and the empty line. */
  #head(pathPrefix = '', path = this.#options.target.path): string {
    const {headers, target} = this.#options
    const {host, lines, peer} = headers
    const port = /:(\d+)$/.exec(host)?.[1] ?? '80'
    return (
      `${this.call.method} ${pathPrefix}${path} HTTP/1.1\r\nHost: ${host}\r\n${lines}` +
      `X-Forwarded-For: ${peer}\r\nX-Forwarded-Host: ${host}\r\nX-Forwarded-Port: ${port}\r\n` +
      `X-Forwarded-Prefix: /services/${target.segment}\r\nX-Forwarded-Proto: http\r\n` +
      `X-Forwarded-Server: ${SERVER}\r\nX-Real-Ip: ${peer}\r\n`
    )
  }
}
