/**
 * An app's Dapr sidecar: serves Dapr's HTTP API at the ports of one app. Finds the callee of a request, asks the gateway
 * to admit the call, and sends the request on with the headers that Dapr adds; requests to the sidecar's own API go to `ownApi`.
 * Processes, other sidecars and the addresses of pools are outside this module.
 */
import type {IncomingMessage, ServerResponse} from 'node:http'
import type net from 'node:net'
import type {Duplex, Writable} from 'node:stream'
import {isOnUnixSocket} from '../../proxy/net/claimed-server.ts'
import type {CallObserver, SentRequest} from '../../model/call.ts'
import {rawHead, type ParsedHead} from '../../proxy/net/http1/raw-head.ts'
import type {CallHandler} from '../../proxy/net/exchange-parts.ts'
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
import type {Admit} from '../../proxy/gateway/admission.ts'
import type {CallContext} from '../../proxy/gateway/call-context.ts'
import {isRouteServed} from './http/routes.ts'
import {INVOKE_ROUTE} from '../../model/dapr/api/routes.ts'
import {createApi} from './http/api.ts'
import {blockCaller, PlainBlocks} from './http/plain-block.ts'
import {DelegatedCallers, identityOf, linesOfCaller} from './http/identity.ts'
import type {Interceptor} from '../../proxy/gateway/interceptor.ts'
import {HeldBodies} from '../../proxy/gateway/held-bodies.ts'
import {ByHand} from '../../proxy/gateway/by-hand.ts'
import {hostGuard} from '../../proxy/gateway/guards.ts'
import {pageSignsOf} from '../../proxy/gateway/page-guard.ts'
import {Invocation, type CopierOf, type SidecarContext} from './http/invocation.ts'
import {isMounted, startMounted} from './http/mounted-router.ts'
import {ownApi, type OwnCall} from './http/own-api.ts'
import {PlainCalls, plainRules} from './http/plain-call.ts'
import {readSidecarRequest, type Guards, type SidecarRequest} from './http/sidecar-request.ts'
import {BAD_TARGET, noAppId, REFUSED_PAGE} from './http/errors.ts'
import {filter, type FilteredRequest, type OnPiece} from './http/middleware/filter.ts'
import {recordOwn} from './http/own-record.ts'
import {findReadTarget} from './http/target.ts'
import type {SidecarOptions, SidecarRules} from './sidecar-options.ts'

/** The caller's end of a request. */
interface Connection {
  readonly key: object
  readonly ends: Ends
  readonly isUnixSocket: boolean
  readonly destroy: () => void
}

/** Go reads this many bytes of a head beyond its limit. */
const HEAD_SLOP = 4096

/** The open sidecar of one app. */
export class Sidecar implements SidecarContext {
  readonly appId: string
  readonly admit: Admit
  readonly maxBodyBytes: number
  readonly appToken: string
  readonly warn: (text: string) => void
  readonly copierOf: CopierOf | undefined
  readonly #options: SidecarOptions
  readonly #guards: Guards
  /** The guards for unix domain sockets: any Host is allowed. */
  readonly #socketGuards: Guards
  readonly #answerOwn: ReturnType<typeof ownApi>
  readonly #plainBlocks: PlainBlocks
  readonly #listener: Listener
  readonly #delegatedCallers: DelegatedCallers
  readonly callerHeaders: SidecarContext['callerHeaders']
  readonly heldBodies = new HeldBodies()
  /** Metadata that was set over either API. */
  readonly customMetadata = new Map<string, string>()
  readonly recorded: SidecarOptions['recorded']
  readonly observer: CallObserver | undefined
  readonly faults: CallContext['faults']
  readonly isNumbered: SidecarContext['isNumbered']
  readonly #rules: SidecarRules

  constructor(options: SidecarOptions) {
    const {appId, admit, limits, warn} = options
    this.appId = appId
    this.admit = admit
    this.maxBodyBytes = limits.maxBodyBytes
    this.appToken = options.tokens.app
    this.warn = warn
    this.copierOf = options.copierOf
    this.recorded = options.recorded
    this.observer = options.observer
    this.faults = options.faults
    const byHand = new ByHand()
    this.isNumbered = (lines, ends) => options.namesCalls !== false && byHand.isSender(lines, ends)
    this.#rules = options.rules
    this.#options = options
    const identity = options.identity ?? identityOf(process.env)
    this.callerHeaders = linesOfCaller(identity, appId)
    this.#delegatedCallers = new DelegatedCallers({sidecar: this, identity, key: options.key})
    this.#guards = {
      isAllowedHost: hostGuard(options.allowedHosts),
      apiToken: options.tokens.api,
      tracing: options.tracing,
      // Calls between sidecars are internal in Dapr: spec.api does not restrict them.
      apiAccess: delegation =>
        this.#delegatedCallers.contextFor(delegation) === undefined ? options.apiAccess() : undefined
    }
    this.#socketGuards = {...this.#guards, isAllowedHost: () => true}
    const callBlock = blockCaller(options.blocks)
    this.#plainBlocks = new PlainBlocks(this, callBlock)
    this.#answerOwn = ownApi(createApi(options, callBlock, this.customMetadata), this.#guards.isAllowedHost, options)
    this.#listener = this.#createListener()
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

  /** Accepts no new calls; settles when calls in flight have ended. Interrupts calls when the signal is aborted. */
  async close(cut?: AbortSignal): Promise<void> {
    await this.#listener.close(cut)
  }

  /** See `Listener.handOver`. */
  handOver(): readonly net.Server[] {
    return this.#listener.handOver()
  }

  get interceptor(): Interceptor | undefined {
    return this.#rules.interceptor
  }

  /** Returns the sidecar as it serves the caller of another run that `delegation` introduces. */
  contextFor(delegation: string): SidecarContext {
    return this.#delegatedCallers.contextFor(delegation) ?? this
  }

  #fastPath(): ListenerOptions['fast'] {
    const {mounted} = this.#options
    const plainCalls = new PlainCalls(this, this.#plainBlocks)
    return {
      rules: plainRules,
      needsBody: request => this.#plainBlocks.takes(request),
      route: (request, connection) =>
        startMounted(mounted?.(), request, connection) ||
        (this.#rules.pipeline.length === 0 &&
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
    const {socket} = request
    const isUnixSocket = isOnUnixSocket(socket)
    const {method, url, httpVersion, rawHeaders} = request
    const head = {method, url, httpVersion, rawHeaders}
    const then: FilteredRequest = {
      reply: answer => reply(request, response, answer),
      isGone: () => socket.destroyed,
      pass: (changed, onPiece) => {
        request.url = changed.url ?? ''
        this.#serveFiltered(request, response, onPiece)
      }
    }
    const connection = {key: socket, ends: socket, isUnixSocket, destroy: () => socket.destroy()}
    this.#admit(head, connection, then)
  }

  #serveFiltered(request: IncomingMessage, response: ServerResponse, onPiece: OnPiece): void {
    const parsed = this.#read(request, isOnUnixSocket(request.socket))
    const {headers} = parsed
    const record = recordOwn(this.recorded, this.appId, parsed)
    const respond = (answer: Reply): void => {
      reply(request, response, {...answer, lines: answer.lines + parsed.responseTrace})
      record(answer)
    }
    // Go closes the connection after a target that it cannot parse.
    if (parsed.refusal === BAD_TARGET) response.shouldKeepAlive = false
    const body = {length: headers.length, maxBytes: this.maxBodyBytes, onPiece}
    const exchange = (handler: CallHandler): Exchange => new Http1Downstream(request, response, handler, body).exchange
    const {socket} = request
    this.#answer(parsed, response, {
      body: request,
      onPiece,
      ends: socket,
      destroy: () => socket.destroy(),
      respond,
      exchange
    })
  }

  #serveStream({stream, socket, ...request}: StreamRequest): void {
    const {isOnUnixSocket: isUnixSocket} = request
    const then: FilteredRequest = {
      reply: answer => stream.reply(answer, request.method === 'HEAD'),
      isGone: () => stream.destroyed,
      pass: (changed, onPiece) =>
        this.#serveFilteredStream({...request, url: changed.url ?? '', stream, socket}, onPiece)
    }
    this.#admit(request, {key: socket, ends: socket, isUnixSocket, destroy: () => stream.close()}, then)
  }

  #serveFilteredStream({stream, ...request}: StreamRequest, onPiece: OnPiece): void {
    const parsed = this.#read(request, request.isOnUnixSocket)
    const {method, headers} = parsed
    const record = recordOwn(this.recorded, this.appId, parsed)
    const respond = (answer: Reply): void => {
      stream.reply({...answer, lines: answer.lines + parsed.responseTrace}, method === 'HEAD')
      record(answer)
    }
    const body = {length: headers.length, maxBytes: this.maxBodyBytes, onPiece}
    const exchange = (handler: CallHandler): Exchange => new Http2Downstream(stream, method, handler, body).exchange
    this.#answer(parsed, stream, {body: stream, onPiece, destroy: () => stream.close(), respond, exchange})
  }

  /** Refuses a request, serves it by the sidecar's own API, or calls an app. `out`: the response. */
  #answer(
    parsed: SidecarRequest,
    out: Writable,
    {
      exchange,
      ends,
      ...own
    }: Omit<OwnCall, 'finished' | 'onGone'> & {ends?: Ends; exchange: (handler: CallHandler) => Exchange}
  ): void {
    if (parsed.refusal !== undefined) own.respond(parsed.refusal)
    else if (parsed.action !== undefined)
      this.#answerOwn(parsed, {...own, finished: then => out.on('finish', then), onGone: goneOf(out)})
    else if (!this.#invoke(parsed, exchange, {ends})) own.respond(noAppId(parsed.method))
  }

  /** Refuses requests of a foreign web page, and passes all others to the pipeline. */
  #admit(head: ParsedHead, {key, ends, isUnixSocket, destroy}: Connection, then: FilteredRequest): void {
    const serve = (): void => this.#filter(head, isUnixSocket, then)
    const {pages} = this.#options
    if (isUnixSocket || !pages.isForeign(pageSignsOf(head.rawHeaders))) return serve()
    const {headers, action} = this.#read(head, isUnixSocket)
    // another run's sidecar has decided
    if (this.#delegatedCallers.contextFor(headers.delegation) !== undefined) return serve()
    void pages.decide({
      connection: key,
      ends,
      isCall: action === undefined,
      isGone: then.isGone,
      serve,
      refuse: () => then.reply(REFUSED_PAGE),
      crashed: error => {
        this.warn(bugText(error))
        destroy()
      }
    })
  }

  /** Passes a valid request through the pipeline. Without a pipeline it passes immediately. */
  #filter(request: ParsedHead, isUnixSocket: boolean, then: FilteredRequest): void {
    const {pipeline} = this.#rules
    if (pipeline.length === 0) return then.pass(request, undefined)
    const {refusal, headers} = this.#read(request, isUnixSocket)
    const isInternal = this.#delegatedCallers.contextFor(headers.delegation) !== undefined
    if (refusal !== undefined || isInternal) return then.pass(request, undefined)
    void filter(pipeline, request, then, this.warn)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    const mounted = this.#options.mounted?.()
    if (isMounted(mounted, request)) return mounted.upgrade(request, socket, early)
    const isUnixSocket = isOnUnixSocket(socket)
    // collects bytes until the upgrade is decided
    const buffer = new UpgradeBuffer(socket, early)
    const then: FilteredRequest = {
      reply: answer => endWith(socket, answer),
      isGone: () => socket.destroyed,
      pass: changed => this.#upgradeFiltered({...changed, rawHeaders: request.rawHeaders}, socket, buffer.release())
    }
    const connection = {key: socket, ends: request.socket, isUnixSocket, destroy: () => socket.destroy()}
    this.#admit(request, connection, then)
  }

  #upgradeFiltered(request: ParsedHead, socket: Duplex, early: Buffer): void {
    const parsed = this.#read(request, isOnUnixSocket(socket))
    const {method} = parsed
    const exchange = (handler: CallHandler): Exchange => new UpgradeTunnel(socket, method, early, handler).exchange
    if (parsed.refusal !== undefined || !this.#invoke(parsed, exchange, {extraLines: UPGRADE_LINES}))
      endWith(socket, parsed.refusal ?? noAppId(method))
  }

  /** Starts a call. Returns false, without effect, if the request names no valid callee. */
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
      sidecar: delegated ?? this,
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
    if (this.observer === undefined) return {protocol, method, path, lines}
    const text = rawHead(raw)
    return {protocol, method, path, lines, text, size: text.length}
  }
}

/** Keeps the latest listener: a call may have many parts, one after the other. */
function goneOf(out: Writable): OwnCall['onGone'] {
  let latest: (() => void) | undefined
  return listener => {
    if (out.closed) return listener()
    if (latest === undefined) out.once('close', () => latest?.())
    latest = listener
  }
}
