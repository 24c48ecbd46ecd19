import {LeaseSearch, type LeasesFound, type SidecarLease} from '../control/sidecar-leases.ts'
import type {Call} from '../model/call.ts'
import type {Admission, Admit, Held} from './admission.ts'
import {callerLine} from './caller-header.ts'
import {Pool} from '../net/pool.ts'
import {whyUnknown} from './unknown-app.ts'

export interface PeerRunsOptions {
  /** The environment that we were started in. */
  readonly shell: Readonly<Record<string, string | undefined>>
  /** The marker of our own run, which is skipped. */
  readonly run: string
  /** Ids of our own apps, for the error about an unknown one. */
  readonly known: () => readonly string[]
}

/** An app of another run, as long as its sidecar is open. */
interface Peer {
  readonly sidecar: SidecarLease
  readonly pool: Pool
}

/**
 * The apps of the user's other runs. A sidecar that was found is used until it closes (its run notifies us) or refuses a
 * connection; then the runs are asked again. No state has to be kept in sync: no file, no daemon, no expiry.
 */
export class PeerRuns {
  readonly #options: PeerRunsOptions
  readonly #leases: LeaseSearch
  readonly #found = new Map<string, Peer>()
  /** Searches in progress: concurrent calls to one id share one. */
  readonly #asking = new Map<string, Promise<LeasesFound>>()
  /** The address that last refused a connection, by id. */
  readonly #refused = new Map<string, string>()
  #isClosed = false

  constructor(options: PeerRunsOptions) {
    this.#options = options
    this.#leases = new LeaseSearch(options.shell, options.run)
  }

  /** Admits a call to an app of another run, through the sidecar of the oldest run that has the app. */
  readonly admit: Admit = (call, isRefused = false) => {
    const known = this.#found.get(call.callee)
    if (known !== undefined && !isRefused) return this.#admitted(call, known)
    if (known !== undefined) {
      this.#refused.set(call.callee, addressOf(known.sidecar))
      this.#drop(call.callee, known)
    }
    return this.#search(call, isRefused)
  }

  /** Releases all leases. */
  close(): void {
    this.#isClosed = true
    for (const [id, peer] of this.#found) this.#drop(id, peer)
  }

  #search(call: Call, isRefused: boolean): Held {
    return {admitted: this.#find(call, isRefused), cancel: () => undefined}
  }

  async #find(call: Call, isRefused: boolean): Promise<Admission> {
    const {callee} = call
    const {sidecar, others} = await this.#ask(callee)
    if (sidecar === undefined) {
      const why = whyUnknown(callee, this.#options.known(), others)
      return {ok: false, status: 500, error: `couldn't find service: ${callee} (${why})`, isUnknown: true}
    }
    if (isRefused && this.#refused.get(callee) === addressOf(sidecar)) {
      const where = `127.0.0.1:${sidecar.address.port.toString()}`
      const why = `dial tcp ${where}: connect: connection refused (the sidecar of "${callee}", which belongs to another run)`
      return {ok: false, status: 500, error: `rpc error: code = Unavailable desc = connection error: ${why}`}
    }
    const known = this.#found.get(callee)
    return known === undefined ? this.#denied(callee) : this.#admitted(call, known)
  }

  async #ask(id: string): Promise<LeasesFound> {
    const asking = this.#asking.get(id) ?? this.#leases.find(id).then(found => this.#keep(id, found))
    this.#asking.set(id, asking)
    try {
      return await asking
    } finally {
      this.#asking.delete(id)
    }
  }

  #keep(id: string, found: LeasesFound): LeasesFound {
    const {sidecar} = found
    if (sidecar === undefined) return found
    if (this.#isClosed) sidecar.release()
    else {
      const peer = {sidecar, pool: new Pool(sidecar.address)}
      this.#found.set(id, peer)
      void sidecar.closed.then(() => this.#drop(id, peer))
    }
    return found
  }

  #drop(id: string, peer: Peer): void {
    if (this.#found.get(id) === peer) this.#found.delete(id)
    peer.pool.retire()
    peer.sidecar.release()
  }

  #admitted({caller, callee}: Call, {sidecar, pool}: Peer): Admission {
    const {shell} = this.#options
    return {
      ok: true,
      pool,
      isLocal: false,
      token: shell['DAPR_API_TOKEN'] ?? '',
      pathPrefix: `/v1.0/invoke/${encodeURIComponent(callee)}/method`,
      callerLine: callerLine(sidecar.address.key, caller, shell['NAMESPACE'] || 'default'),
      leave: () => undefined
    }
  }

  /** Its run ended between the search and now. */
  #denied(id: string): Admission {
    return {ok: false, status: 500, error: `couldn't find service: ${id} (its run has just ended)`}
  }
}

const addressOf = ({address: {run, port}}: SidecarLease): string => `${run}:${port.toString()}`
