/**
 * daeploy/ is compatible with Daeploy's manager: it serves services written with Daeploy's SDK, and Daeploy's command line. This file
 * routes `/services/<name>/…` and `/services/<name>_<version>/…` to an instance, keeps notifications, and implements the
 * management API. The same routes are served on the manager's own port and, except those that start or replace code, on the
 * sidecar of every app. Processes are outside this module: the run finds the instance, and the gateway admits the call.
 * Contract: Daeploy's documentation, and the requests of its SDK and command line.
 */
import type {IncomingMessage, ServerResponse} from 'node:http'
import type net from 'node:net'
import type {Duplex} from 'node:stream'
import {isOnUnixSocket} from '../../proxy/net/claimed-server.ts'
import {Http1Downstream} from '../../proxy/net/http1/http1-downstream.ts'
import {Listener} from '../../proxy/net/http1/listener.ts'
import type {FastConnection} from '../../proxy/net/http1/fast-connection.ts'
import {protocolOf, rawHead} from '../../proxy/net/http1/raw-head.ts'
import {reply, type Reply} from '../../proxy/net/reply.ts'
import {endWith, UpgradeTunnel, UPGRADE_LINES} from '../../proxy/net/http1/upgrade-tunnel.ts'
import type {NamedCallee} from '../../proxy/gateway/routes.ts'
import {servicePlainRules, readServiceHeaders, hasForwarded, type PlainHeaders, type ServiceHeaders} from './headers.ts'
import {HOST_REFUSED, ORIGIN_REFUSED, TOKEN_REFUSED, NO_SUCH_PATH, PAGE_REFUSED} from './replies.ts'
import {readTarget, type ServiceTarget} from './target.ts'
import {ServiceCall, type ServiceCallContext, type ServiceCallOptions} from './service-call.ts'
import type {Protocol} from '../../model/call-protocol.ts'
import type {SentRequest} from '../../model/call.ts'
import type {CallerIdentity} from '../../proxy/gateway/caller-header.ts'
import {isCrossOrigin} from '../../proxy/gateway/guards.ts'
import type {PageGuard} from '../../proxy/gateway/page-guard.ts'
import {bugText} from '../../model/errors.ts'
import {HeldBodies} from '../../proxy/gateway/held-bodies.ts'
import type {ManagerRoute} from './routes.ts'

/** Access checks of the manager's routes. */
export interface ManagerGuards {
  /** Returns whether a Host header, or the authority of an Origin, names this machine. */
  readonly isAllowedHost: (authority: string) => boolean
  /** Returns whether credentials are valid; always true if no token is required. */
  readonly isAuthorized: (apiToken: string, authorization: string) => boolean
  /** Decides which requests of web pages are allowed. */
  readonly pages: PageGuard
}

export interface ManagerApiOptions extends Omit<ServiceCallContext, 'heldBodies'> {
  readonly findService: (name: string) => NamedCallee
  readonly guards: ManagerGuards
  /** Returns the caller that a sidecar of another run names; undefined: not to be trusted. Omitted: none is trusted. */
  readonly callerOf?: (delegation: string) => CallerIdentity | undefined
  /** Handles requests that are not calls to services. */
  readonly route: ManagerRoute
}

/** A plain request from the fast path of the port's listener. */
export interface PlainCall extends PlainHeaders {
  readonly method: string
  /** The path without the query. */
  readonly path: string
  readonly query: string
  /** Text that begins with the whole head as received, and the length of the head. */
  readonly text: string
  readonly size: number
}

type Way = Pick<ServiceCallOptions, 'headers' | 'extraLines' | 'exchange'>

const OWN_PATH = /^\/(?:services(?:\/|$)|notifications\/?$|auth\/verify$|~version$)/

/** Serves the manager's routes at one port: the manager's own, or that of a sidecar. */
export class ManagerApi {
  readonly #options: ManagerApiOptions
  readonly #context: ServiceCallContext

  constructor(options: ManagerApiOptions) {
    this.#options = options
    this.#context = {...options, heldBodies: new HeldBodies()}
  }

  /** Whether a path belongs to the manager, also if no route matches. */
  hasRoute(path: string): boolean {
    return OWN_PATH.test(path)
  }

  /** Starts the call of a plain request. Returns false, without effect, if `serve` has to handle the request. */
  startPlain(request: PlainCall, connection: FastConnection): boolean {
    const {path, query, method: _, text: _text, size: _size, ...headers} = request
    const {guards} = this.#options
    if (
      !path.startsWith('/services/') ||
      !(connection.isOnUnixSocket || guards.isAllowedHost(headers.host)) ||
      hasForwarded(headers.lines)
    )
      return false
    if (!guards.isAuthorized(headers.apiToken, headers.authorization)) return false
    const target = readTarget(path, query)
    if (target === undefined) return false
    this.#call({protocol: 'HTTP/1.1', ...request}, target, {
      headers: {...headers, peer: connection.peer},
      extraLines: '',
      exchange: handler => connection.begin(handler)
    })
    return true
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    const {socket} = request
    const serve = (): void => this.#serveAdmitted(request, response)
    this.#admit(request, socket, serve, () => reply(request, response, PAGE_REFUSED))
  }

  #serveAdmitted(request: IncomingMessage, response: ServerResponse): void {
    const headers = readServiceHeaders(request)
    const {path, target} = parse(request.url ?? '/')
    const respond = (answer: Reply): void => reply(request, response, answer)
    const refusal = this.#refusalOf(request, path, headers, target)
    if (refusal !== undefined) return respond(refusal)
    if (target === undefined) return this.#options.route({request, response, path, query: queryOf(request.url ?? '')})
    const {length} = headers
    const way: Way = {
      headers,
      extraLines: '',
      exchange: handler => new Http1Downstream(request, response, handler, {length, maxBytes: 0}).exchange
    }
    this.#call(this.#sent(protocolOf(request), request, path, headers), target, way, headers.delegation)
  }

  upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    socket.pause()
    const upgrade = (): void => {
      this.#upgradeAdmitted(request, socket, early)
      socket.resume()
    }
    this.#admit(request, socket, upgrade, () => endWith(socket, PAGE_REFUSED))
  }

  /** Refuses requests of foreign web pages, and serves all others. */
  #admit(request: IncomingMessage, socket: Duplex, serve: () => void, refuse: () => void): void {
    const {origin, fetchSite, delegation} = readServiceHeaders(request)
    const {pages} = this.#options.guards
    const isDelegated = delegation !== '' && this.#options.callerOf?.(delegation) !== undefined
    if (isOnUnixSocket(socket) || isDelegated || !pages.isForeign({origin, fetchSite})) return serve()
    const isCall = parse(request.url ?? '/').target !== undefined
    void pages.decide({
      connection: socket,
      ends: request.socket,
      isCall,
      isGone: () => socket.destroyed,
      serve,
      refuse,
      crashed: error => {
        this.#options.warn(bugText(error))
        socket.destroy()
      }
    })
  }

  #upgradeAdmitted(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    const headers = readServiceHeaders(request)
    const {path, target} = parse(request.url ?? '/')
    const refusal = this.#refusalOf(request, path, headers, target)
    if (refusal !== undefined || target === undefined) return endWith(socket, refusal ?? NO_SUCH_PATH)
    const {method = ''} = request
    const way: Way = {
      headers,
      extraLines: UPGRADE_LINES,
      exchange: handler => new UpgradeTunnel(socket, method, early, handler).exchange
    }
    this.#call(this.#sent('WebSocket', request, path, headers), target, way, headers.delegation)
  }

  #sent(protocol: Protocol, request: IncomingMessage, path: string, {lines}: ServiceHeaders): SentRequest {
    const {method = ''} = request
    if (this.#options.observer === undefined) return {protocol, method, path, lines}
    const text = rawHead(request)
    return {protocol, method, path, lines, text, size: text.length}
  }

  /** Calls a service. `delegation`: header by which a sidecar of another run names the caller; '': none. */
  #call(request: SentRequest, target: ServiceTarget, way: Way, delegation = ''): void {
    const service = this.#options.findService(target.name)
    const identity = delegation === '' ? undefined : this.#options.callerOf?.(delegation)
    const context = identity === undefined ? this.#context : {...this.#context, caller: identity.appId, identity}
    new ServiceCall({context, service, request, target, ...way}).start()
  }

  /** Returns the refusal of a request; undefined: allowed. Apps may forward calls to services from web pages of other origins, but no changes by the management API. */
  #refusalOf(
    request: IncomingMessage,
    path: string,
    headers: ServiceHeaders,
    target: ServiceTarget | undefined
  ): Reply | undefined {
    const {isAllowedHost, isAuthorized} = this.#options.guards
    const {method = '', socket} = request
    if (headers.host !== '' && !isOnUnixSocket(socket) && !isAllowedHost(headers.host)) return HOST_REFUSED
    if (!isAuthorized(headers.apiToken, headers.authorization)) return TOKEN_REFUSED
    const changes = target === undefined && path !== '/' && method !== 'GET' && method !== 'HEAD'
    return changes && isCrossOrigin(headers.origin, headers.fetchSite, isAllowedHost) ? ORIGIN_REFUSED : undefined
  }
}

const queryOf = (url: string): string => (url.includes('?') ? url.slice(url.indexOf('?')) : '')

/** Parses the target of a request. An absolute URL, which only proxies get, has no path of the manager. */
function parse(url: string): {readonly path: string; readonly target: ServiceTarget | undefined} {
  const query = queryOf(url)
  const path = url.slice(0, url.length - query.length)
  return {path, target: readTarget(path, query)}
}

/** Maximum size of a request's head at the manager's port, in bytes: enough for a browser with its cookies. */
const MAX_HEAD_BYTES = 64 * 1024

/** Opens the manager's own port. `close` of the returned listener settles when the calls in flight have ended. */
export function openManagerPort(servers: readonly net.Server[], options: ManagerApiOptions): Listener {
  const api = new ManagerApi(options)
  return new Listener({
    servers,
    maxHeadBytes: MAX_HEAD_BYTES,
    fast: {
      rules: servicePlainRules,
      route: ({method, path, query, lines, length, hasLength, values, text, size}, connection) => {
        const [host = '', authorization = '', apiToken = ''] = values
        return api.startPlain(
          {method, path, query, lines, length, hasLength, host, authorization, apiToken, text, size},
          connection
        )
      }
    },
    serve: (request, response) => api.serve(request, response),
    upgrade: (request, socket, early) => api.upgrade(request, socket, early)
  })
}
