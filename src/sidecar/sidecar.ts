/**
 * One app's Dapr sidecar: what Dapr's sidecar answers over HTTP, at the ports of one app. It finds the callee a request
 * names, asks the host's queue to let it through, and sends it on with the headers of Dapr's contract; the sidecar's own
 * API it answers itself. It knows nothing of processes, of other sidecars, or of where a pool leads.
 */
import type {IncomingMessage, ServerResponse} from 'node:http'
import type net from 'node:net'
import type {Duplex} from 'node:stream'
import {isOnUnixSocket} from '../net/claimed-server.ts'
import type {CallObserver, CallRecord} from '../model/call.ts'
import type {CallHandler} from '../net/call-handler.ts'
import type {Exchange} from '../net/exchange.ts'
import {Http1Downstream} from '../net/http1/http1-downstream.ts'
import {Listener, type ListenerOptions} from '../net/http1/listener.ts'
import {reply, type Reply} from '../net/reply.ts'
import {Http2Downstream} from '../net/http2/http2-downstream.ts'
import {bugText} from '../net/error-boundary.ts'
import type {StreamRequest} from '../net/http2/http2-listener.ts'
import {replyStream} from '../net/http2/http2-reply.ts'
import {endWith, UpgradeTunnel, UPGRADE_LINES} from '../net/http1/upgrade-tunnel.ts'
import type {Admit} from '../gateway/admission.ts'
import {createApi, type AnswerApi} from './http/api.ts'
import {DelegatedCallers} from './http/delegated-caller.ts'
import type {Interceptor} from '../gateway/interceptor.ts'
import {HeldBodies} from '../gateway/held-bodies.ts'
import {hostGuard, isCrossOrigin} from '../gateway/guards.ts'
import {identityOf, callerHeaders, type Identity} from './http/identity.ts'
import {Invocation, type CopierOf, type SidecarContext} from './http/invocation.ts'
import type {Facts} from './http/metadata.ts'
import {isMounted, startMounted, type MountedRouter} from './http/mounted-router.ts'
import {plainRules, startPlain} from './http/plain-call.ts'
import {readSidecarRequest, type Guards, type SidecarRequest, type Readable} from './http/sidecar-request.ts'
import {BAD_TARGET, FOREIGN_ORIGIN, NOBODY_NAMED} from './http/errors.ts'
import {findReadTarget} from './http/target.ts'

export interface SidecarOptions {
  readonly appId: string
  /** Bound and listening on the sidecar's HTTP port; the sidecar takes them over and closes them. */
  readonly servers: readonly net.Server[]
  readonly admit: Admit
  readonly facts: () => Facts
  /** The app takes calls. */
  readonly isReady: () => boolean
  readonly requestShutdown: () => void
  readonly limits: {readonly maxBodyBytes: number; readonly readBufferBytes: number}
  /** Addresses it listens on beyond loopback: the names a Host field may hold. */
  readonly allowedHosts: readonly string[]
  /** DAPR_API_TOKEN and the own app's APP_API_TOKEN, '' = none. */
  readonly tokens: {readonly api: string; readonly app: string}
  readonly warn: (text: string) => void
  /** Told of every request when it is over, also of those that the sidecar answers itself. */
  readonly recorded?: ((record: CallRecord) => void) | undefined
  readonly observer?: CallObserver | undefined
  readonly interceptors?: readonly Interceptor[]
  /** Somebody else's routes on this port. */
  readonly mounted?: MountedRouter | undefined
  /** Takes a copy of a call to an app, where it has shadows. */
  readonly copierOf?: CopierOf | undefined
  /** False: `samplingRate: "0"`, traces pass untouched. Default true. */
  readonly isTracing?: boolean
  /** Default: of this machine and our environment. */
  readonly identity?: Identity
  /** Lets other runs speak for their apps here (`guest.ts`); left out: nobody may. */
  readonly key?: string
  /** False: HTTP/2 is not spoken (DAPR_HTTP_DISABLE_H2C). Default true. */
  readonly hasHttp2?: boolean
  /** False: every request is read by node:http. Default true. */
  readonly hasFastPath?: boolean
}

/** A request to the sidecar's own API, of whatever version of HTTP. */
interface OwnCall {
  readonly body: AsyncIterable<Buffer> & {destroy(): unknown}
  readonly answer: (text: Reply) => void
  /** Calls this when the answer is out. */
  readonly finished: (then: () => void) => void
}

/** Go reads so much more of a head than it was told to. */
const HEAD_SLOP = 4096

/** An open sidecar. */
export class Sidecar implements SidecarContext {
  readonly appId: string
  readonly admit: Admit
  readonly maxBodyBytes: number
  readonly appToken: string
  readonly warn: (text: string) => void
  readonly copierOf: CopierOf | undefined
  readonly #options: SidecarOptions
  readonly #identity: Identity
  readonly #guards: Guards
  /** At a unix domain socket any Host is fine. */
  readonly #socketGuards: Guards
  readonly #answerApi: AnswerApi
  readonly #front: Listener
  readonly #delegatedCallers: DelegatedCallers
  /** How this sidecar introduces itself to each callee; one string per callee that let a call through. */
  readonly #introductions = {local: new Map<string, string>(), remote: new Map<string, string>()}
  readonly heldBodies = new HeldBodies()
  readonly recorded: SidecarOptions['recorded']
  readonly observer: CallObserver | undefined
  /** Stand around each call of the app; they may be exchanged at any time. */
  interceptors: readonly Interceptor[]

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
    this.interceptors = options.interceptors ?? []
    this.#options = options
    this.#identity = options.identity ?? identityOf(process.env)
    this.#delegatedCallers = new DelegatedCallers({sidecar: this, identity: this.#identity, key: options.key ?? ''})
    this.#guards = {
      isAllowedHost: hostGuard(options.allowedHosts),
      apiToken: options.tokens.api,
      isTracing: options.isTracing ?? true
    }
    this.#socketGuards = {...this.#guards, isAllowedHost: () => true}
    this.#answerApi = createApi({...options, maxBodyBytes: limits.maxBodyBytes})
    this.#front = new Listener({
      servers: options.servers,
      maxHeadBytes: limits.readBufferBytes + HEAD_SLOP,
      warn,
      ...(options.hasFastPath !== false && {fast: this.#fast()}),
      serve: (request, response) => {
        this.#serve(request, response)
      },
      upgrade: (request, socket, early) => {
        this.#upgrade(request, socket, early)
      },
      ...(options.hasHttp2 !== false && {serveStream: (request: StreamRequest) => this.#serveStream(request)})
    })
  }

  /** Accepts no more; ends when the calls under way have ended, or are cut when the signal is aborted. */
  async close(cut?: AbortSignal): Promise<void> {
    await this.#front.close(cut)
  }

  /** Closes everything now. */
  destroy(): void {
    this.#front.destroy()
  }

  callerHeaders(callee: string, isLocal: boolean): string {
    const introductions = this.#introductions[isLocal ? 'local' : 'remote']
    const known = introductions.get(callee)
    if (known !== undefined) return known
    const text = callerHeaders(this.#identity, this.appId, {callee, isLocal})
    introductions.set(callee, text)
    return text
  }

  #fast(): ListenerOptions['fast'] {
    const {mounted} = this.#options
    return {
      rules: plainRules,
      route: (request, connection) =>
        startMounted(mounted, request, connection) ||
        startPlain(this, this.#guardsOf(connection.isOnUnixSocket), request, connection)
    }
  }

  #guardsOf(isUnixSocket: boolean): Guards {
    return isUnixSocket ? this.#socketGuards : this.#guards
  }

  #read(request: Readable, isUnixSocket: boolean): SidecarRequest {
    return readSidecarRequest(request, this.appId, this.#guardsOf(isUnixSocket))
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const {mounted} = this.#options
    if (isMounted(mounted, request)) return mounted.serve(request, response)
    const parsed = this.#read(request, isOnUnixSocket(request.socket))
    const {fields} = parsed
    const record = this.#recorder(parsed)
    const answer = (text: Reply): void => {
      reply(request, response, {...text, lines: text.lines + parsed.answerTrace})
      record(text)
    }
    if (parsed.refusal !== undefined) {
      // Go ends the connection behind a target that it cannot read.
      if (parsed.refusal === BAD_TARGET) response.shouldKeepAlive = false
      answer(parsed.refusal)
    } else if (parsed.action !== undefined)
      this.#own(parsed, {body: request, answer, finished: then => response.on('finish', then)})
    else {
      const {length} = fields
      const exchange = (handler: CallHandler): Exchange =>
        new Http1Downstream({request, response, handler, length, maxBodyBytes: this.maxBodyBytes}).exchange
      if (!this.#invoke(parsed, exchange)) answer(NOBODY_NAMED)
    }
  }

  #serveStream({stream, ...request}: StreamRequest): void {
    const parsed = this.#read(request, request.isOnUnixSocket)
    const {method, refusal, action, fields} = parsed
    const record = this.#recorder(parsed)
    const answer = (text: Reply): void => {
      replyStream(stream, {...text, lines: text.lines + parsed.answerTrace}, method === 'HEAD')
      record(text)
    }
    if (refusal !== undefined) answer(refusal)
    else if (action !== undefined)
      this.#own(parsed, {body: stream, answer, finished: then => stream.on('finish', then)})
    else {
      const {maxBodyBytes} = this
      const exchange = (handler: CallHandler): Exchange =>
        new Http2Downstream({stream, method, handler, length: fields.length, maxBodyBytes}).exchange
      if (!this.#invoke(parsed, exchange)) answer(NOBODY_NAMED)
    }
  }

  /** Tells of an answer of our own. */
  #recorder({method, sent, fields}: SidecarRequest): (answer: Reply) => void {
    const {recorded} = this
    if (recorded === undefined) return () => undefined
    const startedAt = performance.now()
    return ({status, body}) =>
      recorded({
        call: {caller: this.appId, callee: '', method, path: sent.path},
        request: {method, path: sent.path, lines: fields.lines},
        status,
        attempts: 0,
        startedAt,
        admittedAt: 0,
        connectedAt: 0,
        firstByteAt: 0,
        endedAt: performance.now(),
        requestBytes: Math.max(0, fields.length),
        responseBytes: Buffer.byteLength(body),
        trace: '',
        failure: ''
      })
  }

  #own(parsed: SidecarRequest, {body, answer, finished}: OwnCall): void {
    const {action, fields, sent} = parsed
    if (action === undefined) return
    const changesUs = action.kind === 'shutdown' || action.kind === 'put-metadata'
    if (changesUs && isCrossOrigin(fields.origin, fields.fetchSite, this.#guards.isAllowedHost))
      return answer(FOREIGN_ORIGIN)
    if (action.kind === 'shutdown') finished(this.#options.requestShutdown)
    const text = this.#answerApi(action, body, sent.query)
    if (text instanceof Promise) void this.#answerLater(text, {body, answer})
    else answer(text)
  }

  async #answerLater(text: Promise<Reply>, {body, answer}: Pick<OwnCall, 'body' | 'answer'>): Promise<void> {
    try {
      answer(await text)
    } catch (error) {
      this.warn(bugText(error))
      body.destroy()
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    const {mounted} = this.#options
    if (isMounted(mounted, request)) return mounted.upgrade(request, socket, early)
    const parsed = this.#read(request, isOnUnixSocket(socket))
    const {method} = parsed
    const exchange = (handler: CallHandler): Exchange => new UpgradeTunnel({socket, method, early, handler}).exchange
    if (parsed.refusal !== undefined || !this.#invoke(parsed, exchange, UPGRADE_LINES))
      endWith(socket, parsed.refusal ?? NOBODY_NAMED)
  }

  /** Starts a call. False, and nothing done: the request names no callee that can be read. */
  #invoke(parsed: SidecarRequest, exchange: (handler: CallHandler) => Exchange, extraLines = ''): boolean {
    const {fields, method, sent, trace, answerTrace} = parsed
    const delegated = this.#delegatedCallers.contextFor(fields.delegation)
    const target = delegated === undefined ? parsed.target : findReadTarget(parsed.sent)
    if (target === undefined) return false
    new Invocation({
      sidecar: delegated ?? this,
      request: {method, path: sent.path, lines: fields.lines},
      target,
      fields,
      trace,
      answerTrace,
      extraLines,
      exchange
    }).start()
    return true
  }
}

/** Opens the sidecar of one app. */
export const openSidecar = (options: SidecarOptions): Sidecar => new Sidecar(options)
