import type {IncomingMessage, ServerResponse} from 'node:http'
import type net from 'node:net'
import type {Duplex, Writable} from 'node:stream'
import {isOnUnixSocket} from '../../proxy/net/claimed-server.ts'
import type {SentRequest} from '../../model/call.ts'
import {rawHead, type ParsedHead} from '../../proxy/net/http1/raw-head.ts'
import type {CallHandler, IncomingBody} from '../../proxy/net/exchange-parts.ts'
import {bugText} from '../../model/errors.ts'
import type {Exchange} from '../../proxy/net/exchange.ts'
import {Http1Downstream} from '../../proxy/net/http1/http1-downstream.ts'
import {Listener, type ListenerOptions} from '../../proxy/net/http1/listener.ts'
import {reply, type Reply} from '../../proxy/net/reply.ts'
import {Http2Downstream} from '../../proxy/net/http2/http2-downstream.ts'
import type {StreamRequest} from '../../proxy/net/http2/http2-listener.ts'
import {UpgradeBuffer} from '../../proxy/net/http1/upgrade-buffer.ts'
import {endWith, UpgradeTunnel, UPGRADE_LINES} from '../../proxy/net/http1/upgrade-tunnel.ts'
import type {Ends} from '../../platform/proc-net.ts'
import {isRouteServed} from './http/routes.ts'
import {INVOKE_ROUTE} from '../../model/dapr/api/routes.ts'
import {blockCaller, PlainBlocks} from './http/plain-block.ts'
import {DelegatedCallers, identityOf, linesOfCaller, type Identity} from './http/identity.ts'
import {HeldBodies} from '../../proxy/gateway/held-bodies.ts'
import {ByHand} from '../../proxy/gateway/by-hand.ts'
import {hostGuard} from '../../proxy/gateway/guards.ts'
import {pageSignsOf} from '../../proxy/gateway/page-guard.ts'
import {Invocation, type SidecarContext} from './http/invocation.ts'
import {isMounted, startMounted} from './http/mounted-router.ts'
import {OwnApi, type OwnCall} from './http/own-api.ts'
import {PlainCalls, plainRules} from './http/plain-call.ts'
import {readSidecarRequest, type Guards, type SidecarRequest} from './http/sidecar-request.ts'
import {BAD_TARGET, noAppId, REFUSED_PAGE} from './http/errors.ts'
import {filter, type FilteredRequest} from './http/middleware/middleware.ts'
import {recordOwn} from './http/own-record.ts'
import {findReadTarget} from './http/target.ts'
import type {SidecarOptions} from './sidecar-options.ts'

/** A request at the HTTP port, over any version of HTTP, before the checks and middleware. */
interface Arrival extends FilteredRequest {
  readonly head: ParsedHead
  readonly socket: Ends & object
  readonly isUnixSocket: boolean
  readonly destroy: () => void
}

/** A request that has passed checks and middleware, and how it is answered over its protocol. */
interface Admitted extends Pick<OwnCall, 'body' | 'onPiece' | 'destroy'> {
  readonly head: ParsedHead
  readonly isUnixSocket: boolean
  readonly out: Writable
  readonly ends?: Ends
  readonly reply: (answer: Reply, request: SidecarRequest) => void
  /** Makes the exchange with the app that the request calls. */
  readonly exchange: (handler: CallHandler, body: IncomingBody) => Exchange
}

/** The context of calls for the sidecar's own app. `contextFor` returns that for an app of another run, by the header `pillion-caller`. */
export type HostContext = SidecarContext & {contextFor(delegation: string): SidecarContext}

/** Number of bytes beyond the limit of a head that Go accepts. */
const HEAD_SLOP = 4096

/**
 * The HTTP port of an app's sidecar. Each request passes the check of web pages and the pipeline of middleware. Then the sidecar refuses
 * it, answers it by Dapr's API, or calls the app that it names.
 */
export class Sidecar {
  readonly context: HostContext
  /** Metadata that was set over HTTP or gRPC. */
  readonly customMetadata = new Map<string, string>()
  readonly #options: SidecarOptions
  readonly #guards: Guards
  /** The guards for unix domain sockets, over which any Host is allowed. */
  readonly #socketGuards: Guards
  readonly #ownApi: OwnApi
  readonly #plainBlocks: PlainBlocks
  readonly #listener: Listener
  readonly #delegatedCallers: DelegatedCallers

  constructor(options: SidecarOptions) {
    this.#options = options
    const identity = options.identity ?? identityOf(process.env)
    this.context = this.#newContext(identity)
    this.#delegatedCallers = new DelegatedCallers({sidecar: this.context, identity, key: options.key})
    this.#guards = {
      isAllowedHost: hostGuard(options.allowedHosts),
      apiToken: options.tokens.api,
      tracing: options.tracing,
      // calls between sidecars are internal in Dapr, so spec.api does not restrict them
      apiAccess: delegation =>
        this.#delegatedCallers.contextFor(delegation) === undefined ? options.apiAccess() : undefined
    }
    this.#socketGuards = {...this.#guards, isAllowedHost: () => true}
    const callBlock = blockCaller(options.blocks)
    this.#plainBlocks = new PlainBlocks(this.context, callBlock)
    const {customMetadata} = this
    this.#ownApi = new OwnApi({...options, callBlock, customMetadata, isAllowedHost: this.#guards.isAllowedHost})
    this.#listener = this.#createListener()
  }

  #newContext(identity: Identity): HostContext {
    const {appId, admit, limits, tokens, warn, copierOf, recorded, observer, faults, rules, namesCalls} = this.#options
    const byHand = new ByHand()
    return {
      appId,
      admit,
      maxBodyBytes: limits.maxBodyBytes,
      appToken: tokens.app,
      warn,
      copierOf,
      recorded,
      observer,
      faults,
      heldBodies: new HeldBodies(),
      isNumbered: (lines, ends) => namesCalls !== false && byHand.isSender(lines, ends),
      callerHeaders: linesOfCaller(identity, appId),
      get interceptor() {
        return rules.interceptor
      },
      contextFor: delegation => this.#delegatedCallers.contextFor(delegation) ?? this.context
    }
  }

  #createListener(): Listener {
    const {servers, limits, warn, hasFastPath, hasHttp2} = this.#options
    return new Listener({
      servers,
      maxHeadBytes: limits.readBufferBytes + HEAD_SLOP,
      warn,
      ...(hasFastPath !== false && {fast: this.#fastPath()}),
      serve: (request, response) => this.#serve(request, response),
      upgrade: (request, socket, early) => this.#upgrade(request, socket, early),
      ...(hasHttp2 !== false && {serveStream: (request: StreamRequest) => this.#serveStream(request)})
    })
  }

  /** Stops accepting calls. Settles when calls in flight have ended, or `cut` is aborted, which interrupts them. */
  async close(cut?: AbortSignal): Promise<void> {
    await this.#listener.close(cut)
  }

  /** See `Listener.handOver`. */
  handOver(): readonly net.Server[] {
    return this.#listener.handOver()
  }

  /** Returns the handlers of plain requests, which are served without node:http. Requests that `route` refuses get to `#serve`. */
  #fastPath(): ListenerOptions['fast'] {
    const {mounted, rules} = this.#options
    const plainCalls = new PlainCalls(this.context, this.#plainBlocks)
    return {
      rules: plainRules,
      needsBody: request => this.#plainBlocks.takes(request),
      route: (request, connection) =>
        startMounted(mounted?.(), request, connection) ||
        (rules.pipeline.length === 0 &&
          plainCalls.start(this.#guardsOf(connection.isOnUnixSocket), request, connection))
    }
  }

  #guardsOf(isUnixSocket: boolean): Guards {
    return isUnixSocket ? this.#socketGuards : this.#guards
  }

  #read(request: ParsedHead, isUnixSocket: boolean): SidecarRequest {
    return readSidecarRequest(request, this.#guardsOf(isUnixSocket))
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const mounted = this.#options.mounted?.()
    if (isMounted(mounted, request)) return mounted.serve(request, response)
    const {socket, method, url, httpVersion, rawHeaders} = request
    const isUnixSocket = isOnUnixSocket(socket)
    const destroy = (): void => void socket.destroy()
    this.#admit({
      head: {method, url, httpVersion, rawHeaders},
      socket,
      isUnixSocket,
      destroy,
      isGone: () => socket.destroyed,
      reply: answer => reply(request, response, answer),
      pass: (changed, onPiece) => {
        request.url = changed.url ?? ''
        this.#answer({
          head: request,
          isUnixSocket,
          onPiece,
          body: request,
          out: response,
          ends: socket,
          destroy,
          reply: (answer, {refusal}) => {
            // Go closes the connection after a target that it cannot parse
            if (refusal === BAD_TARGET) response.shouldKeepAlive = false
            reply(request, response, answer)
          },
          exchange: (handler, body) => new Http1Downstream(request, response, handler, body).exchange
        })
      }
    })
  }

  #serveStream({stream, socket, ...request}: StreamRequest): void {
    const {isOnUnixSocket: isUnixSocket} = request
    const destroy = (): void => stream.close()
    this.#admit({
      head: request,
      socket,
      isUnixSocket,
      destroy,
      isGone: () => stream.destroyed,
      reply: answer => stream.reply(answer, request.method === 'HEAD'),
      pass: (changed, onPiece) =>
        this.#answer({
          head: {...request, url: changed.url ?? ''},
          isUnixSocket,
          onPiece,
          body: stream,
          out: stream,
          destroy,
          reply: (answer, {method}) => stream.reply(answer, method === 'HEAD'),
          exchange: (handler, body) => new Http2Downstream(stream, request.method, handler, body).exchange
        })
    })
  }

  #upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    const mounted = this.#options.mounted?.()
    if (isMounted(mounted, request)) return mounted.upgrade(request, socket, early)
    const isUnixSocket = isOnUnixSocket(socket)
    // stores the caller's bytes until it is decided whether the connection is upgraded
    const buffer = new UpgradeBuffer(socket, early)
    this.#admit({
      head: request,
      socket: request.socket,
      isUnixSocket,
      destroy: () => void socket.destroy(),
      isGone: () => socket.destroyed,
      reply: answer => endWith(socket, answer),
      pass: changed => {
        const parsed = this.#read({...changed, rawHeaders: request.rawHeaders}, isUnixSocket)
        const {method, refusal} = parsed
        const sent = buffer.release()
        const exchange = (handler: CallHandler): Exchange => new UpgradeTunnel(socket, method, sent, handler).exchange
        if (refusal !== undefined || !this.#invoke(parsed, exchange, {extraLines: UPGRADE_LINES}))
          endWith(socket, refusal ?? noAppId(method))
      }
    })
  }

  /** Refuses requests of web pages of other origins, and passes others to the pipeline. */
  #admit(arrival: Arrival): void {
    const {head, socket, isUnixSocket, isGone, destroy} = arrival
    const serve = (): void => this.#filter(arrival)
    const {pages, warn} = this.#options
    if (isUnixSocket || !pages.isForeign(pageSignsOf(head.rawHeaders))) return serve()
    const {headers, action} = this.#read(head, isUnixSocket)
    // another run's sidecar has checked this request already
    if (this.#delegatedCallers.contextFor(headers.delegation) !== undefined) return serve()
    void pages.decide({
      connection: socket,
      ends: socket,
      isCall: action === undefined,
      isGone,
      serve,
      refuse: () => arrival.reply(REFUSED_PAGE),
      crashed: error => {
        warn(bugText(error))
        destroy()
      }
    })
  }

  /** Passes a request through the pipeline of middleware, except an invalid request and a request of another run's sidecar. */
  #filter(arrival: Arrival): void {
    const {head, isUnixSocket} = arrival
    const {warn, rules} = this.#options
    if (rules.pipeline.length === 0) return arrival.pass(head, undefined)
    const {refusal, headers} = this.#read(head, isUnixSocket)
    const isInternal = this.#delegatedCallers.contextFor(headers.delegation) !== undefined
    if (refusal !== undefined || isInternal) return arrival.pass(head, undefined)
    void filter(rules.pipeline, head, arrival, warn)
  }

  /** Refuses a request that has passed the middleware, serves it by the sidecar's own API, or calls an app. */
  #answer({head, isUnixSocket, onPiece, body, out, ends, destroy, reply: send, exchange}: Admitted): void {
    const {appId, recorded, maxBodyBytes} = this.context
    const parsed = this.#read(head, isUnixSocket)
    const record = recordOwn(recorded, appId, parsed)
    const respond = (answer: Reply): void => {
      send({...answer, lines: answer.lines + parsed.responseTrace}, parsed)
      record(answer)
    }
    if (parsed.refusal !== undefined) return respond(parsed.refusal)
    if (parsed.action !== undefined) {
      const finished = (then: () => void): void => void out.on('finish', then)
      return this.#ownApi.answer(parsed.action, parsed, {
        body,
        onPiece,
        destroy,
        respond,
        finished,
        onGone: goneOf(out)
      })
    }
    const bodyRules = {length: parsed.headers.length, maxBytes: maxBodyBytes, onPiece}
    if (!this.#invoke(parsed, handler => exchange(handler, bodyRules), {ends})) respond(noAppId(parsed.method))
  }

  /** Calls the app that a request names. Returns false, without effect, if it names none, or API access rules do not allow invocation. */
  #invoke(
    parsed: SidecarRequest,
    exchange: (handler: CallHandler) => Exchange,
    {extraLines = '', ends}: {readonly extraLines?: string; readonly ends?: Ends | undefined}
  ): boolean {
    const {headers, trace, responseTrace, span} = parsed
    const delegated = this.#delegatedCallers.contextFor(headers.delegation)
    if (!isRouteServed(this.#guards.apiAccess(headers.delegation), INVOKE_ROUTE)) return false
    const target = delegated === undefined ? parsed.target : findReadTarget(parsed.sent)
    if (target === undefined) return false
    new Invocation({
      sidecar: delegated ?? this.context,
      request: this.#sentRequest(parsed, extraLines !== ''),
      target,
      headers,
      trace,
      responseTrace,
      spans: span && {
        own: span,
        callee: delegated === undefined ? this.#guards.tracing.tracer?.startChild(span) : undefined
      },
      extraLines,
      ends,
      exchange
    }).start()
    return true
  }

  #sentRequest(
    {raw, protocol: asked, method, sent: {path}, headers: {lines}}: SidecarRequest,
    isUpgrade: boolean
  ): SentRequest {
    const protocol = isUpgrade ? 'WebSocket' : asked
    if (this.context.observer === undefined) return {protocol, method, path, lines}
    const text = rawHead(raw)
    return {protocol, method, path, lines, text, size: text.length}
  }
}

/** Returns a function that sets the listener for the end of the response. Only the latest listener is called. */
function goneOf(out: Writable): OwnCall['onGone'] {
  let latest: (() => void) | undefined
  return listener => {
    if (out.closed) return listener()
    if (latest === undefined) out.once('close', () => latest?.())
    latest = listener
  }
}
