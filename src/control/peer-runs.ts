import type {Environment} from '../model/environment.ts'
import {LeaseSearch, type LeasesFound, type SidecarLease} from './sidecar-leases.ts'
import type {TemplateCopy} from './copies.ts'
import {SingleFlight} from '../model/single-flight.ts'
import type {Identify} from '../proxy/gateway/instances.ts'
import type {Call} from '../model/call.ts'
import {denied, type Admission, type Admit} from '../proxy/gateway/admission.ts'
import {CALLER_HEADER, callerValue} from '../proxy/gateway/caller-header.ts'
import {denyUnknown, whyStopped, whyUnknown} from '../proxy/gateway/unknown-app.ts'
import {Pool} from '../proxy/net/pool.ts'

export interface PeerRunsOptions {
  /** The environment of Pillion itself. */
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
  /** Searches the other runs for an app. */
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

  close(): void {
    this.#isClosed = true
    for (const {peers} of this.#found.values()) peers.close()
  }

  /** Admits a call after a search in other runs. `refuser`: address of the sidecar that refused this call just now; '': none. */
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

/** An app of another run, as long as its sidecar is open. */
interface Peer {
  readonly sidecar: SidecarLease
  readonly pool: Pool
  /** Connects to its gRPC port. */
  readonly grpcPool: Pool
}

/** The runs that have one app: calls are distributed round robin over its ready instances, through one sidecar per run. */
class Peers {
  readonly #peers: Peer[] = []
  #turn = 0
  /** The sidecar that each call was sent to. */
  readonly #chosen = new WeakMap<Call, Peer>()

  /** Adds a sidecar, unless it is known; oldest run first. `closed` is called when it has closed. */
  add(sidecar: SidecarLease, closed: (peer: Peer) => void): void {
    if (this.#peers.some(known => addressOf(known.sidecar) === addressOf(sidecar))) return sidecar.release()
    const {address} = sidecar
    const peer = {sidecar, pool: new Pool(address), grpcPool: new Pool({...address, port: address.grpcPort})}
    this.#peers.push(peer)
    this.#peers.sort((a, b) => a.sidecar.address.startedAt - b.sidecar.address.startedAt)
    void sidecar.closed.then(() => closed(peer))
  }

  drop(peer: Peer): void {
    const at = this.#peers.indexOf(peer)
    if (at >= 0) this.#peers.splice(at, 1)
    peer.pool.retire()
    peer.grpcPool.retire()
    peer.sidecar.release()
  }

  close(): void {
    for (const peer of this.#peers.splice(0)) this.drop(peer)
  }

  /** Removes the sidecar that refused this call. Returns its address; '': it was removed already. */
  refused(call: Call): string {
    const peer = this.#chosen.get(call)
    if (peer === undefined || !this.#peers.includes(peer)) return ''
    this.drop(peer)
    return addressOf(peer.sidecar)
  }

  /** Chooses the next peer for a call; if no instance is ready, the oldest run, which queues the call. */
  next(call: Call, refuser = ''): Peer | undefined {
    const peers = refuser === '' ? this.#peers : this.#peers.filter(({sidecar}) => addressOf(sidecar) !== refuser)
    const peer = peers.length === 1 ? peers[0] : this.#atTurn(peers)
    if (peer !== undefined) this.#chosen.set(call, peer)
    return peer
  }

  #atTurn(peers: readonly Peer[]): Peer | undefined {
    const total = peers.reduce((sum, {sidecar}) => sum + sidecar.ready, 0)
    let at = total === 0 ? 0 : this.#turn++ % total
    for (const peer of peers) {
      if (at < peer.sidecar.ready) return peer
      at -= peer.sidecar.ready
    }
    return peers[0]
  }
}

const addressOf = ({address: {run, port}}: SidecarLease): string => `${run}:${port}`
