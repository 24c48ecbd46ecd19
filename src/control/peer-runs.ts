import type {Environment} from '../model/environment.ts'
import {LeaseSearch, type LeasesFound} from './sidecar-leases.ts'
import type {TemplateCopy} from './copies.ts'
import {SingleFlight} from '../model/single-flight.ts'
import type {Identify} from '../proxy/gateway/instances.ts'
import type {Call} from '../model/call.ts'
import {denied, type Admission, type Admit} from '../proxy/gateway/admission.ts'
import {CALLER_HEADER, callerValue} from '../proxy/gateway/caller-header.ts'
import {Peers, type Peer} from './peers.ts'
import {denyUnknown, whyStopped, whyUnknown} from '../proxy/gateway/unknown-app.ts'

export interface PeerRunsOptions {
  /** The environment that we were started in. */
  readonly env: Environment
  /** The marker of our own run, which is skipped. */
  readonly run: string
  /** The template of the run, whose other copies are not called. */
  readonly own?: TemplateCopy
  /** Returns the identity of one of our apps for its calls to other runs. */
  readonly identify: Identify
  /** Ids of our own apps, for the error about an unknown one. */
  readonly known: () => readonly string[]
}

/** How long the result of a search is used before we search for further runs. */
const SEARCH_INTERVAL_MS = 2000

/** The other runs that have an app, and the time of the last search. */
interface Found {
  readonly peers: Peers
  askedAt: number
}

/**
 * The apps of the user's other runs. A sidecar that was found is used until it closes (its run notifies us) or refuses a
 * connection. Later calls find runs that start afterwards. No state has to be kept in sync: no file, no daemon.
 */
export class PeerRuns {
  readonly #options: PeerRunsOptions
  /** Asks them. */
  readonly leases: LeaseSearch
  readonly #found = new Map<string, Found>()
  /** Searches in progress: concurrent calls to one id share one. */
  readonly #asking = new SingleFlight<string, LeasesFound>()
  #isClosed = false

  constructor(options: PeerRunsOptions) {
    this.#options = options
    this.leases = new LeaseSearch(options.env, options.run, options.own)
  }

  /** Admits a call to an app of other runs, round robin over its ready instances, each through a sidecar of its run. */
  readonly admit: Admit = (call, isRefused = false) => {
    const found = this.#found.get(call.callee)
    const refuser = isRefused ? (found?.peers.refused(call) ?? '') : ''
    const peer = found?.peers.next(call)
    if (found === undefined || peer === undefined)
      return {
        admitted: this.#find(call, refuser),
        isCounted: true,
        reason: 'the search in other runs',
        cancel: () => undefined
      }
    if (performance.now() - found.askedAt > SEARCH_INTERVAL_MS) {
      found.askedAt = performance.now()
      void this.#ask(call.callee).catch(() => undefined) // a call that needs the search sees its error
    }
    return this.#admitted(call, peer)
  }

  /** Releases all leases. */
  close(): void {
    this.#isClosed = true
    for (const {peers} of this.#found.values()) peers.close()
  }

  /** `refuser`: the sidecar that refused this call just now. */
  async #find(call: Call, refuser: string): Promise<Admission> {
    const {callee} = call
    const {sidecars, others, isStopped} = await this.#ask(callee)
    const [sidecar] = sidecars
    if (sidecar === undefined) {
      if (isStopped) return denyUnknown(callee, whyStopped(callee))
      return denyUnknown(callee, `(${whyUnknown(callee, this.#options.known(), others)})`)
    }
    const peers = this.#found.get(callee)?.peers
    const peer = peers?.next(call, refuser)
    if (peer !== undefined) return this.#admitted(call, peer)
    // its run has ended since the search
    if (peers?.next(call) === undefined) return denied(`couldn't find service: ${callee} (its run has just ended)`)
    const where = `127.0.0.1:${sidecar.address.port}`
    const why = `dial tcp ${where}: connect: connection refused (the sidecar of "${callee}", which belongs to another run)`
    return {...denied(`rpc error: code = Unavailable desc = connection error: ${why}`), isUnavailable: true}
  }

  async #ask(id: string): Promise<LeasesFound> {
    return this.#asking.do(id, async () => this.#keep(id, await this.leases.find(id)))
  }

  #keep(id: string, leases: LeasesFound): LeasesFound {
    const known = this.#found.get(id)
    const found = known ?? {peers: new Peers(), askedAt: 0}
    found.askedAt = performance.now()
    if (known === undefined && leases.sidecars.length > 0) this.#found.set(id, found)
    for (const sidecar of leases.sidecars) {
      if (this.#isClosed) sidecar.release()
      else found.peers.add(sidecar, peer => found.peers.drop(peer))
    }
    return leases
  }

  #admitted({caller, callee}: Call, {sidecar, pool, grpcPool}: Peer): Admission {
    const {env, identify} = this.#options
    const identity = identify(caller) ?? {...UNKNOWN_CALLER, appId: caller}
    const value = callerValue(sidecar.address.key, identity)
    return {
      ok: true,
      pool,
      isLocal: false,
      token: env['DAPR_API_TOKEN'] ?? '',
      pathPrefix: `/v1.0/invoke/${encodeURIComponent(callee)}/method`,
      callerLine: `${CALLER_HEADER}: ${value}\r\n`,
      grpcPool,
      grpcFields: [
        ['dapr-app-id', callee],
        [CALLER_HEADER.toLowerCase(), value]
      ],
      leave: () => undefined
    }
  }
}

/** The identity of a caller without a sidecar, such as one at the port of Daeploy's manager. */
const UNKNOWN_CALLER = {namespace: 'default', trustDomain: ''}
