import {isLoopback} from '../../model/address.ts'
import {peerKind, peerKindNow, type AppSigns, type PeerKind} from '../../platform/peer-process.ts'
import type {Ends} from '../../platform/proc-net.ts'
import {valueOf} from '../net/http1/header-lines.ts'
import {hostOf} from './guards.ts'

/** Headers of a request that reveal its page; '': none. */
export interface PageSigns {
  readonly origin: string
  readonly fetchSite: string
}

/** A request that may be from a page of another origin. */
export interface ForeignRequest {
  /** Requests with the same one have one sender. */
  readonly connection: object
  readonly ends: Ends
  /** Whether it only calls an app. */
  readonly isCall: boolean
  /** The caller has disconnected. */
  readonly isGone: () => boolean
  readonly serve: () => void
  readonly refuse: () => void
  /** Serving it failed by an internal error. */
  readonly crashed: (error: unknown) => void
}

/** Variable in the environment of every app's process, of any run. */
const MARK = 'PILLION_LIFE'

/** Why a request is refused. */
export const FOREIGN_PAGE =
  'web pages from elsewhere may not send requests here: the Origin or Sec-Fetch-Site header names one. If it is yours, add its origin to allowedOrigins at the top of the template'

/**
 * Checks requests that look like requests of a web page from elsewhere. A page can send such requests to any port of this machine,
 * with its user's browser; and so does an app, such as a gateway, that passes on the headers of its browsers. The process at the
 * other end of the connection decides. Other requests are not checked.
 */
export class PageGuard {
  readonly #allowed: ReadonlySet<string>
  readonly #appPort: () => number
  readonly #peers = new WeakMap<object, PeerKind | Promise<PeerKind>>()

  /** `allowed`: origins whose pages may send requests; `*`: all. `appPort`: returns the port of an app that we did not start, 0: none. */
  constructor(allowed: readonly string[], appPort: () => number = () => 0) {
    this.#allowed = new Set(allowed.map(normal))
    this.#appPort = appPort
  }

  /** Whether a request may be from a page of another origin. An allowed Origin has precedence over Sec-Fetch-Site, which is always `cross-site` for it. */
  isForeign({origin, fetchSite}: PageSigns): boolean {
    if (this.#allowed.has('*')) return false
    if (origin === '') return fetchSite.toLowerCase() === 'cross-site'
    if (this.#allowed.has(normal(origin))) return false
    return !isLoopback(hostOf(/^https?:\/\/([^/]+)$/i.exec(origin)?.[1] ?? ''))
  }

  /** Whether such a request may pass. `isCall`: it only calls an app; then it passes, too, if its sender cannot be known. */
  async admits(connection: object, ends: Ends, isCall: boolean): Promise<boolean> {
    const peer = this.#peers.get(connection) ?? peerKind(ends, this.#signs)
    this.#peers.set(connection, peer)
    return mayPass(await peer, isCall)
  }

  /** Decides about such a request, and calls one of its functions. Never rejects. */
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

  /** As `admits`, but at once. */
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

/** Returns the origin in lower case, without the port of the scheme and a slash at the end. */
const normal = (origin: string): string =>
  origin
    .toLowerCase()
    .replace(/\/$/, '')
    .replace(/^(http:\/\/.*):80$|^(https:\/\/.*):443$/, '$1$2')

/** Reads the signs from the headers of a request: names and values alternate. */
export const pageSignsOf = (headers: readonly string[]): PageSigns => ({
  origin: valueOf(headers, 'origin') ?? '',
  fetchSite: valueOf(headers, 'sec-fetch-site') ?? ''
})
