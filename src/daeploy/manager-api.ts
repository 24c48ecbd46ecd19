/**
 * daeploy/ is the manager's sidecar: what services written with Daeploy's SDK, and Daeploy's command line, expect of the
 * manager. It passes `/services/<name>/…` and `/services/<name>_<version>/…` on to the instance that is meant, keeps the
 * notifications, and answers those who manage. The same routes stand on a port of their own and, but for those that start
 * or exchange code, on the sidecar of every app. It knows nothing of processes: who answers for a name, and whether the call
 * may go in, the host tells. Contract: Daeploy's documentation and what its SDK and command line send.
 */
import type {IncomingMessage, ServerResponse} from 'node:http'
import type net from 'node:net'
import type {Duplex} from 'node:stream'
import {isOnUnixSocket} from '../net/claimed-server.ts'
import {Http1Downstream} from '../net/http1/http1-downstream.ts'
import {Listener} from '../net/http1/listener.ts'
import type {FastConnection} from '../net/http1/fast-connection.ts'
import {reply, type Reply} from '../net/reply.ts'
import {endWith, UpgradeTunnel, UPGRADE_LINES} from '../net/http1/upgrade-tunnel.ts'
import type {Reach} from './service.ts'
import {plainRules, readFields, saysWhereFrom, type PlainFields, type RequestFields} from './fields.ts'
import {FOREIGN_HOST, FOREIGN_ORIGIN, INVALID_TOKEN, NOT_FOUND} from './replies.ts'
import {readTarget, type Target} from './target.ts'
import {ServiceCall, type ServiceCallContext, type ServiceCallOptions} from './service-call.ts'
import type {SentRequest} from '../model/call.ts'
import {HeldBodies} from '../gateway/held-bodies.ts'
import type {Route} from './routes.ts'

/** Who may ask. */
export interface Guards {
  /** Whether a Host field, or the authority of an Origin, names this machine. */
  readonly isAllowedHost: (authority: string) => boolean
  /** Whether these let somebody in; always, where no token is asked for. */
  readonly isLetIn: (apiToken: string, authorization: string) => boolean
}

export interface ManagerApiOptions extends Omit<ServiceCallContext, 'heldBodies'> {
  readonly reach: Reach
  readonly guards: Guards
  /** What is answered here, beside the calls to services. */
  readonly route: Route
}

/** A plain request from the fast path of whoever owns the port. */
export interface PlainCall extends PlainFields {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: string
}

const OWN_PATH = /^\/(?:services(?:\/|$)|notifications\/?$|auth\/verify$|~version$)/

/** The manager's routes at one port; the port itself may be somebody else's. */
export class ManagerApi {
  readonly #options: ManagerApiOptions
  readonly #context: ServiceCallContext

  constructor(options: ManagerApiOptions) {
    this.#options = options
    this.#context = {...options, heldBodies: new HeldBodies()}
  }

  /** Whether a path is one of the manager's, also where nothing answers there. */
  isMeant(path: string): boolean {
    return OWN_PATH.test(path)
  }

  /** Starts the call that a plain request asks for. False, and nothing done: it is for `serve`. */
  startPlain(request: PlainCall, connection: FastConnection): boolean {
    const {path, query, method: _, ...fields} = request
    const {guards} = this.#options
    if (
      !path.startsWith('/services/') ||
      !(connection.isOnUnixSocket || guards.isAllowedHost(fields.host)) ||
      saysWhereFrom(fields.lines)
    )
      return false
    if (!guards.isLetIn(fields.apiToken, fields.authorization)) return false
    const target = readTarget(path, query)
    if (target === undefined) return false
    this.#call(request, target, {
      fields: {...fields, peer: connection.peer},
      extraLines: '',
      exchange: handler => connection.begin(handler)
    })
    return true
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    const fields = readFields(request)
    const {path, target} = parse(request.url ?? '/')
    const answer = (text: Reply): void => reply(request, response, text)
    const refusal = this.#refusalOf(request, path, fields, target)
    if (refusal !== undefined) return answer(refusal)
    if (target === undefined) return this.#options.route({request, response, path, query: queryOf(request.url ?? '')})
    const {length} = fields
    this.#call({method: request.method ?? '', path, lines: fields.lines}, target, {
      fields,
      extraLines: '',
      exchange: handler => new Http1Downstream({request, response, handler, length, maxBodyBytes: 0}).exchange
    })
  }

  upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    const fields = readFields(request)
    const {path, target} = parse(request.url ?? '/')
    const refusal = this.#refusalOf(request, path, fields, target)
    if (refusal !== undefined || target === undefined) return endWith(socket, refusal ?? NOT_FOUND)
    this.#call({method: request.method ?? '', path, lines: fields.lines}, target, {
      fields,
      extraLines: UPGRADE_LINES,
      exchange: handler => new UpgradeTunnel({socket, method: request.method ?? '', early, handler}).exchange
    })
  }

  #call(
    request: SentRequest,
    target: Target,
    way: Pick<ServiceCallOptions, 'fields' | 'extraLines' | 'exchange'>
  ): void {
    const service = this.#options.reach(target.name)
    new ServiceCall({context: this.#context, service, request, target, ...way}).start()
  }

  /** A page of somebody else's may call services, as CORS of theirs says, and may not manage. */
  #refusalOf(
    request: IncomingMessage,
    path: string,
    fields: RequestFields,
    target: Target | undefined
  ): Reply | undefined {
    const {isAllowedHost, isLetIn} = this.#options.guards
    const {method = '', socket} = request
    if (fields.host !== '' && !isOnUnixSocket(socket) && !isAllowedHost(fields.host)) return FOREIGN_HOST
    if (!isLetIn(fields.apiToken, fields.authorization)) return INVALID_TOKEN
    const changes = target === undefined && path !== '/' && method !== 'GET' && method !== 'HEAD'
    const isForeign =
      fields.fetchSite.toLowerCase() === 'cross-site' ||
      (fields.origin !== '' && !isAllowedHost(authorityOf(fields.origin)))
    return changes && isForeign ? FOREIGN_ORIGIN : undefined
  }
}

const authorityOf = (origin: string): string => /^https?:\/\/([^/]+)$/i.exec(origin)?.[1] ?? 'null'

const queryOf = (url: string): string => (url.includes('?') ? url.slice(url.indexOf('?')) : '')

/** The absolute form's authority is that of a proxy's client: nobody sends it here, and it is no path of ours. */
function parse(url: string): {readonly path: string; readonly target: Target | undefined} {
  const query = queryOf(url)
  const path = url.slice(0, url.length - query.length)
  return {path, target: readTarget(path, query)}
}

export interface ManagerPortOptions extends ManagerApiOptions {
  /** Bound and listening on the manager's port; the sidecar takes them over. */
  readonly servers: readonly net.Server[]
}

/** Bytes of a request's head at the manager's port: those of a browser with its cookies. */
const MAX_HEAD = 64 * 1024

/** The manager's own port. Settles its `close` when the calls under way are over. */
export function openManagerPort({servers, ...options}: ManagerPortOptions): Listener {
  const sidecar = new ManagerApi(options)
  return new Listener({
    servers,
    maxHeadBytes: MAX_HEAD,
    fast: {
      rules: plainRules,
      route: ({method, path, query, lines, length, hasLength, values}, connection) => {
        const [host = '', authorization = '', apiToken = ''] = values
        return sidecar.startPlain(
          {method, path, query, lines, length, hasLength, host, authorization, apiToken},
          connection
        )
      }
    },
    serve: (request, response) => {
      sidecar.serve(request, response)
    },
    upgrade: (request, socket, early) => {
      sidecar.upgrade(request, socket, early)
    }
  })
}
