/**
 * daeploy/ is the manager's door: what services written with Daeploy's SDK, and Daeploy's command line, expect of the
 * manager. It passes `/services/<name>/…` and `/services/<name>_<version>/…` on to the instance that is meant, keeps the
 * notifications, and answers those who manage. The same routes stand on a port of their own and, but for those that start
 * or exchange code, on the door of every app. It knows nothing of processes: who answers for a name, and whether the call
 * may go in, the host tells. Contract: Daeploy's documentation and what its SDK and command line send.
 */
import type {IncomingMessage, ServerResponse} from 'node:http'
import type net from 'node:net'
import type {Duplex} from 'node:stream'
import {Forwarding} from '../wire/forwarding.ts'
import {Front} from '../wire/front.ts'
import type {FastLine} from '../wire/fast-line.ts'
import {reply, type Reply} from '../wire/reply.ts'
import {endWith, Tunnel, UPGRADE_LINES} from '../wire/tunnel.ts'
import type {Reach} from './admission.ts'
import {plainRules, readFields, saysWhereFrom, type PlainFields, type RequestFields} from './fields.ts'
import {FOREIGN_HOST, FOREIGN_ORIGIN, INVALID_TOKEN, NOT_FOUND} from './replies.ts'
import {readTarget, type Target} from './target.ts'
import {ServiceCall, type ServiceCallOptions} from './service-call.ts'
import type {Route} from './routes.ts'

/** Who may ask. */
export interface Guards {
  /** Whether a Host field, or the authority of an Origin, names this machine. */
  readonly isOurs: (authority: string) => boolean
  /** Whether these let somebody in; always, where no token is asked for. */
  readonly isLetIn: (apiToken: string, authorization: string) => boolean
}

export interface ManagerDoorOptions {
  /** Who calls through this door: the app whose door it is; `outside` at the manager's own port. */
  readonly caller: string
  readonly reach: Reach
  readonly guards: Guards
  /** What is answered here, beside the calls to services. */
  readonly route: Route
  readonly warn: (text: string) => void
}

/** A plain request from the fast lane of whoever owns the port. */
export interface PlainCall extends PlainFields {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: string
}

const OWN_PATH = /^\/(?:services(?:\/|$)|notifications\/?$|auth\/verify$|~version$)/

/** The manager's routes at one port; the port itself may be somebody else's. */
export class ManagerDoor {
  readonly #options: ManagerDoorOptions

  constructor(options: ManagerDoorOptions) {
    this.#options = options
  }

  /** Whether a path is one of the manager's, also where nothing answers there. */
  isMeant(path: string): boolean {
    return OWN_PATH.test(path)
  }

  /** Starts the call that a plain request asks for. False, and nothing done: it is for `serve`. */
  startPlain({method, path, query, ...fields}: PlainCall, line: FastLine): boolean {
    const {guards} = this.#options
    if (!path.startsWith('/services/') || !guards.isOurs(fields.host) || saysWhereFrom(fields.lines)) return false
    if (!guards.isLetIn(fields.apiToken, fields.authorization)) return false
    const target = readTarget(path, query)
    if (target === undefined) return false
    this.#call(method, target, {
      fields: {...fields, peer: line.peer},
      extraLines: '',
      carrier: conduct => line.begin(conduct)
    })
    return true
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    const fields = readFields(request)
    const {path, target} = parse(request.url ?? '/')
    const answer = (text: Reply): void => reply(request, response, text)
    const refusal = this.#refusalOf(request.method ?? '', path, fields, target)
    if (refusal !== undefined) return answer(refusal)
    if (target === undefined) return this.#options.route({request, response, path, query: queryOf(request.url ?? '')})
    const {length} = fields
    this.#call(request.method ?? '', target, {
      fields,
      extraLines: '',
      carrier: conduct => new Forwarding({request, response, conduct, length, maxBodyBytes: 0})
    })
  }

  upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    const fields = readFields(request)
    const {path, target} = parse(request.url ?? '/')
    const refusal = this.#refusalOf(request.method ?? '', path, fields, target)
    if (refusal !== undefined || target === undefined) return endWith(socket, refusal ?? NOT_FOUND)
    this.#call(request.method ?? '', target, {
      fields,
      extraLines: UPGRADE_LINES,
      carrier: conduct => new Tunnel({socket, early, conduct})
    })
  }

  #call(method: string, target: Target, way: Pick<ServiceCallOptions, 'fields' | 'extraLines' | 'carrier'>): void {
    const service = this.#options.reach(target.name)
    new ServiceCall({door: this.#options, service, method, target, ...way}).start()
  }

  /** A page of somebody else's may call services, as CORS of theirs says, and may not manage. */
  #refusalOf(method: string, path: string, fields: RequestFields, target: Target | undefined): Reply | undefined {
    const {isOurs, isLetIn} = this.#options.guards
    if (fields.host !== '' && !isOurs(fields.host)) return FOREIGN_HOST
    if (!isLetIn(fields.apiToken, fields.authorization)) return INVALID_TOKEN
    const changes = target === undefined && path !== '/' && method !== 'GET' && method !== 'HEAD'
    const isForeign =
      fields.fetchSite.toLowerCase() === 'cross-site' || (fields.origin !== '' && !isOurs(authorityOf(fields.origin)))
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

export interface ManagerPortOptions extends ManagerDoorOptions {
  /** Bound and listening on the manager's port; the door takes them over. */
  readonly servers: readonly net.Server[]
}

/** Bytes of a request's head at the manager's port: those of a browser with its cookies. */
const HEAD_MOST = 64 * 1024

/** The manager's own port. Settles its `close` when the calls under way are over. */
export function openManagerPort({servers, ...options}: ManagerPortOptions): Front {
  const door = new ManagerDoor(options)
  return new Front({
    servers,
    maxHeadBytes: HEAD_MOST,
    fast: {
      rules: plainRules,
      route: ({method, path, query, lines, length, hasLength, values}, line) => {
        const [host = '', authorization = '', apiToken = ''] = values
        return door.startPlain({method, path, query, lines, length, hasLength, host, authorization, apiToken}, line)
      }
    },
    serve: (request, response) => {
      door.serve(request, response)
    },
    upgrade: (request, socket, early) => {
      door.upgrade(request, socket, early)
    }
  })
}
