import type {CallContext} from '../../../proxy/gateway/call-context.ts'
import {ProxiedCall} from '../../../proxy/gateway/proxied-call.ts'
import type {Admission, Admit, Admitted, Denied, Held} from '../../../proxy/gateway/admission.ts'
import type {Verdict} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import type {CallSpans, SentRequest} from '../../../model/call.ts'
import type {Ends} from '../../../platform/proc-net.ts'
import type {CallHandler} from '../../../proxy/net/exchange-parts.ts'
import {TOO_LARGE} from '../../../platform/collector.ts'
import type {Exchange} from '../../../proxy/net/exchange.ts'
import {withoutHeaders} from '../../../proxy/net/http1/header-lines.ts'
import type {ResponseHead} from '../../../proxy/net/http1/response-head.ts'
import type {Failure} from '../../../proxy/net/upstream.ts'
import type {Copy} from '../../../proxy/net/copy.ts'
import type {CopyOf} from '../../../proxy/net/shadow-delivery.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import {channelError, invokeError, notListening, unavailable} from './errors.ts'
import {responseRules, HAS_CONTENT_TYPE, HAS_TRACEPARENT, type RequestHeaders} from './headers.ts'
import type {Target} from './target.ts'
import {spanLines} from './trace.ts'

/** Returns a function that mirrors calls to an app to its shadows; undefined if it has none. */
export type CopierOf = (callee: string) => ((of: CopyOf) => Copy) | undefined

/** The parts that all calls through one sidecar share: for its own app, or for an app of another run. */
export interface SidecarContext extends CallContext {
  readonly appId: string
  readonly admit: Admit
  readonly maxBodyBytes: number
  /** The APP_API_TOKEN of the sidecar's own app; '': none. */
  readonly appToken: string
  readonly warn: (text: string) => void
  readonly copierOf?: CopierOf | undefined
  /** Whether the response to a request gets the header `Pillion-Call`. */
  readonly isNumbered?: ((lines: string, ends: Ends) => boolean) | undefined
  /** Returns the header lines that name the caller to a callee. `isLocal`: the callee is the sidecar's own app. */
  callerHeaders(callee: string, isLocal: boolean): string
}

interface InvocationOptions {
  readonly sidecar: SidecarContext
  readonly request: SentRequest
  readonly target: Target
  readonly headers: Pick<RequestHeaders, 'lines' | 'length' | 'framing' | 'apiToken' | 'baggage' | 'from'>
  /** Trace headers for the callee. */
  readonly trace: string
  /** Trace headers for the caller if the app's response has none. */
  readonly responseTrace: string
  readonly spans?: CallSpans | undefined
  /** Whether the caller used `InvokeService` of gRPC. */
  readonly isInvokeService?: boolean
  /** Further header lines for the callee, which request a websocket; '': none. */
  readonly extraLines: string
  /** The two ends of the caller's connection; omitted: not known. */
  readonly ends?: Ends | undefined
  readonly exchange: (handler: CallHandler) => Exchange
}

const VERBS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'])

/** Returns the method for the app. Methods that Dapr does not know become POST (pkg/messaging/v1/invoke_method_request.go). */
export const verbOf = (method: string): string => (VERBS.has(method) ? method : 'POST')

const TAKES_BODY = new Set(['POST', 'PUT', 'PATCH'])

const BAD_GATEWAY = 502

/** Returns Dapr's text for a body that is too large, with the key of the template that sets the limit. */
const tooLarge = (maxBodyBytes: number): string => `${TOO_LARGE} [the limit is maxBodySize: ${maxBodyBytes} bytes]`

/** Joins the base path of an external endpoint and a method. `root`: the base path for a call without a method. */
const externalPath = (path: string, prefix: string, root: string): string =>
  path === '/' || path.startsWith('/?') ? root + path.slice(1) : prefix + path

type SentTo = Pick<Admitted, 'pool' | 'pathPrefix' | 'isLocal' | 'token' | 'path'>

/** A service invocation over HTTP through a sidecar, with Dapr's headers in both directions and Dapr's errors. */
export class Invocation extends ProxiedCall {
  override readonly rules = responseRules
  override readonly copy: Copy | undefined
  protected readonly exchange: Exchange
  readonly #options: InvocationOptions

  constructor(options: InvocationOptions) {
    const {sidecar, target, headers, request, ends, exchange} = options
    const call = {
      caller: sidecar.appId,
      callee: target.id,
      method: verbOf(request.method),
      path: target.path,
      number: 0,
      sent: request,
      from: headers.from,
      isNumbered: ends !== undefined && sidecar.isNumbered?.(request.lines, ends) === true,
      ...(target.sentId !== target.id && {target: target.sentId})
    }
    super(sidecar, call, request, headers.length)
    this.#options = options
    this.journal.trace = options.trace
    this.journal.spans = options.spans
    this.copy = this.#copy()
    this.exchange = exchange(this)
  }

  protected get isInterceptable(): boolean {
    const {extraLines, target} = this.#options
    return extraLines === '' && target.fault === ''
  }

  protected override verdictOf(status: number): Verdict {
    // for policies, a gRPC app that answered has succeeded; InvokeService retries every status except 2xx (Dapr: pkg/messaging)
    if (this.#isToGrpc) return 'success'
    if (this.#options.isInvokeService === true) return status >= 200 && status < 300 ? 'success' : 'failed'
    return super.verdictOf(status)
  }

  get #isToGrpc(): boolean {
    return this.passage.admitted?.pool.protocol.startsWith('grpc') === true
  }

  ask(isRefused: boolean): Admission | Held {
    const {sidecar, target, headers} = this.#options
    const {maxBodyBytes} = sidecar
    if (target.fault !== '') return {ok: false, status: 500, error: target.fault}
    if (maxBodyBytes > 0 && headers.length > maxBodyBytes)
      return {ok: false, status: 500, error: tooLarge(maxBodyBytes)}
    return sidecar.admit(this.call, isRefused)
  }

  send(admitted: Admitted): void {
    const {sidecar, target, headers, extraLines} = this.#options
    const framing =
      headers.framing === '' && TAKES_BODY.has(this.call.method) ? 'Content-Length: 0\r\n' : headers.framing
    if (admitted.external !== undefined) return this.#sendExternal(admitted, admitted.external, framing)
    const callerHeaders = sidecar.callerHeaders(target.id, admitted.isLocal) + (admitted.callerLine ?? '')
    this.exchange.send(admitted.pool, `${this.#head(admitted, callerHeaders)}${extraLines}${framing}\r\n`)
  }

  protected responseHeaders(head: ResponseHead): string {
    const {headers, responseTrace} = this.#options
    let lines = head.lines
    if ((head.flags & HAS_TRACEPARENT) === 0) lines += responseTrace
    if (headers.baggage.length > 0) lines += `Baggage: ${headers.baggage.join(',')}\r\n`
    // Dapr sets a content type for an error of a request without a chunked body
    if (head.status >= 400 && headers.length >= 0 && (head.flags & HAS_CONTENT_TYPE) === 0) {
      lines += 'Content-Type: application/json\r\n'
    }
    return lines
  }

  protected replyDenied({error, status, down}: Denied): void {
    if (down?.isGrpc === true) return this.#reply(unavailable(notListening(down.address, down.reason)))
    this.#reply(invokeError(this.#options.target.sentId, error, status))
  }

  protected override replyAs(reply: Reply): void {
    this.#reply(reply)
  }

  protected replyFailed(why: string, failure: Failure | undefined): void {
    const isUnconnected = failure === 'refused' || failure === 'unreachable'
    if (isUnconnected && this.#isToGrpc) return this.#reply(unavailable(why))
    const error = why === TOO_LARGE ? tooLarge(this.#options.sidecar.maxBodyBytes) : this.#describe(why)
    this.#reply(invokeError(this.#options.target.sentId, error, failure === 'bad-status' ? BAD_GATEWAY : undefined))
  }

  protected warn(text: string): void {
    this.#options.sidecar.warn(text)
  }

  protected warnCut(why: string): void {
    const {sidecar, target} = this.#options
    this.warn(`${target.id} closed the connection within its response to ${sidecar.appId}: ${this.#describe(why)}`)
  }

  #describe(why: string): string {
    const {pool, isLocal = false, external, pathPrefix = ''} = this.passage.admitted ?? {}
    return channelError({
      isLocal,
      method: this.call.method,
      scheme: pool?.dial?.scheme ?? 'http',
      authority: pool?.authority ?? '',
      path: external === undefined ? this.call.path : externalPath(this.call.path, pathPrefix, external.root),
      why
    })
  }

  /** Sends the request to a callee that is not an app, without a token and without headers about the caller. */
  #sendExternal(
    {pool, pathPrefix, path = this.call.path}: Admitted,
    external: NonNullable<Admitted['external']>,
    framing: string
  ): void {
    const {trace, headers} = this.#options
    const {method} = this.call
    const lines = external.names.length === 0 ? headers.lines : withoutHeaders(headers.lines, external.names)
    this.exchange.send(
      pool,
      `${method} ${externalPath(path, pathPrefix, external.root)} HTTP/1.1\r\nHost: ${pool.authority}\r\n${lines}${external.lines}${trace}${framing}\r\n`
    )
  }

  /** Returns the request head, except the header about the body's length. */
  #head({pool, pathPrefix, isLocal, token: own, path = this.call.path}: SentTo, callerHeaders: string): string {
    const {sidecar, headers, spans} = this.#options
    // another run's sidecar creates its own span
    const isOtherSpan = spans?.callee !== undefined && !isLocal && pathPrefix === ''
    const trace = isOtherSpan ? spanLines(spans.callee) : this.#options.trace
    const {method} = this.call
    const token = own || (isLocal && sidecar.appToken) || headers.apiToken
    const tokenLine = token === '' ? '' : `Dapr-Api-Token: ${token}\r\n`
    return `${method} ${pathPrefix}${path} HTTP/1.1\r\nHost: ${pool.authority}\r\n${headers.lines}${trace}${callerHeaders}${tokenLine}`
  }

  /** Begins to mirror the call to the shadows of its callee; undefined: it has none, or the call is a websocket. */
  #copy(): Copy | undefined {
    const {sidecar, target, extraLines} = this.#options
    const take = extraLines === '' && target.fault === '' ? sidecar.copierOf?.(target.id) : undefined
    return take?.({
      caller: this.call.caller,
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

  #reply(response: Reply): void {
    this.exchange.reply({...response, lines: response.lines + this.#options.responseTrace})
  }
}
