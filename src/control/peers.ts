import type {SidecarLease} from './sidecar-leases.ts'
import {Pool} from '../proxy/net/pool.ts'
import type {Call} from '../model/call.ts'

/** An app of another run, as long as its sidecar is open. */
export interface Peer {
  readonly sidecar: SidecarLease
  readonly pool: Pool
  /** Connects to its gRPC port. */
  readonly grpcPool: Pool
}

/** The runs that have one app: calls are distributed round robin over its ready instances, through one sidecar per run. */
export class Peers {
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

  /** Removes the sidecar that refused this call. Returns its address; '' = it was removed already. */
  refused(call: Call): string {
    const peer = this.#chosen.get(call)
    if (peer === undefined || !this.#peers.includes(peer)) return ''
    this.drop(peer)
    return addressOf(peer.sidecar)
  }

  /** The next peer; if no instance is ready, the oldest run, which queues the call. */
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
