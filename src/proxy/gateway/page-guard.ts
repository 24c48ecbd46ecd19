import {isLoopback} from '../../model/address.ts'
import {peerKind, peerKindNow, type AppSigns, type PeerKind} from '../../platform/peer-process.ts'
import type {Ends} from '../../platform/proc-net.ts'
import {valueOf} from '../net/http1/header-lines.ts'
import {hostOf} from './guards.ts'

/** Values of the headers that name the web page which sent a request; '': header missing. */
export interface PageSigns {
  readonly origin: string
  readonly fetchSite: string
}

/** A request that may come from a web page of another origin, and the functions that serve or refuse it. */
export interface ForeignRequest {
  /** Key of the cached decision: all requests of one connection have one sender. */
  readonly connection: object
  readonly ends: Ends
  /** Whether the request only calls an app, and not the rest of Dapr's API. */
  readonly isCall: boolean
  /** Returns whether the caller has disconnected. */
  readonly isGone: () => boolean
  readonly serve: () => void
  readonly refuse: () => void
  /** Called if `serve` or the check throws. */
  readonly crashed: (error: unknown) => void
}

/** Environment variable by which Pillion marks the processes of apps, in every run. */
const MARK = 'PILLION_LIFE'

/** Why a request is refused. */
export const FOREIGN_PAGE =
  'web pages from elsewhere may not send requests here: the Origin or Sec-Fetch-Site header names one. If it is yours, add its origin to allowedOrigins at the top of the template'

/**
 * Refuses requests of foreign web pages: any page in the user's browser can send requests to ports of this machine. An app such as a gateway
 * may forward the headers of its browsers, so that its requests look alike. Therefore the process at the other end of the connection
 * decides: an app passes, a browser does not.
 */
export class PageGuard {
  readonly #allowed: ReadonlySet<string>
  readonly #appPort: () => number
  readonly #peers = new WeakMap<object, PeerKind | Promise<PeerKind>>()

  /** `allowed`: origins whose pages may send requests; `*`: all. `appPort`: returns the port of an app that Pillion did not start; 0: none. */
  constructor(allowed: readonly string[], appPort: () => number = () => 0) {
    this.#allowed = new Set(allowed.map(normal))
    this.#appPort = appPort
  }

  /** Whether a request may come from a page of another origin. An allowed Origin decides alone: browsers send `cross-site` with it. */
  isForeign({origin, fetchSite}: PageSigns): boolean {
    if (this.#allowed.has('*')) return false
    if (origin === '') return fetchSite.toLowerCase() === 'cross-site'
    if (this.#allowed.has(normal(origin))) return false
    return !isLoopback(hostOf(/^https?:\/\/([^/]+)$/i.exec(origin)?.[1] ?? ''))
  }

  /** Resolves with whether a foreign request may pass. `isCall`: it only calls an app, so that it also passes from an unknown process. */
  async admits(connection: object, ends: Ends, isCall: boolean): Promise<boolean> {
    const peer = this.#peers.get(connection) ?? peerKind(ends, this.#signs)
    this.#peers.set(connection, peer)
    return mayPass(await peer, isCall)
  }

  /** Decides about a foreign request, and calls `serve` or `refuse`. Never rejects. */
  async decide(request: ForeignRequest): Promise<void> {
    const {connection, ends, isCall, isGone, serve, refuse, crashed} = request
    try {
      const mayPass = await this.admits(connection, ends, isCall)
      if (isGone()) return
      if (mayPass) serve()
      else refuse()
    } catch (error) {
      crashed(error)
    }
  }

  /** Decides like `admits`, but synchronously. */
  admitsNow(connection: object, ends: Ends, isCall: boolean): boolean {
    const known = this.#peers.get(connection)
    const peer = known === undefined || known instanceof Promise ? peerKindNow(ends, this.#signs) : known
    this.#peers.set(connection, peer)
    return mayPass(peer, isCall)
  }

  get #signs(): AppSigns {
    return {variable: MARK, port: this.#appPort()}
  }
}

const mayPass = (peer: PeerKind, isCall: boolean): boolean => peer === 'app' || (peer === 'unknown' && isCall)

/** Returns an origin in lower case, without a default port and a trailing slash. */
const normal = (origin: string): string =>
  origin
    .toLowerCase()
    .replace(/\/$/, '')
    .replace(/^(http:\/\/.*):80$|^(https:\/\/.*):443$/, '$1$2')

/** Reads the signs from the headers of a request. `headers`: names and values alternate. */
export const pageSignsOf = (headers: readonly string[]): PageSigns => ({
  origin: valueOf(headers, 'origin') ?? '',
  fetchSite: valueOf(headers, 'sec-fetch-site') ?? ''
})
