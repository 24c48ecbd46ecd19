import type {Protocol} from '../../model/call-protocol.ts'
import {authorityOf} from '../../model/address.ts'
import type {FrameClients} from '#h2-frames'
import type {Dial} from './dialer.ts'
import {ResponseHeads} from './http1/response-heads.ts'
import {Http1Upstream} from './http1/upstream.ts'
import type {Connect} from './remote-side.ts'
import {RemoteUpstream} from './remote-upstream.ts'
import type {Upstream, UpstreamOwner} from './upstream.ts'
import {within} from '../../platform/delay.ts'

export interface PoolOptions {
  /** Addresses of the callee, tried in this order. */
  readonly hosts: readonly string[]
  readonly port: number
  /** Omitted: plain TCP. */
  readonly dial?: Dial | undefined
  /** The Host header of requests; omitted: the first address and the port. */
  readonly authority?: string
  /** The app's `appProtocol`; omitted: unknown. */
  readonly protocol?: string
  /** Maximum bytes of one gRPC message in both directions (its `maxBodySize`); 0 or omitted: unknown or unlimited. */
  readonly maxMessageBytes?: number
  readonly process?: PooledProcess
}

/** The connections that an exchange uses. */
export type UpstreamSource = Pick<Pool, 'take' | 'connect' | 'isRetired'>

/** The process behind a pool. */
export interface PooledProcess {
  /** Settles at its end with the reason, '' for a successor. */
  readonly ended: Promise<string>
  /** Whether the process is no longer ready: its leader may have exited, and its other processes are being ended. */
  readonly isEnding: () => boolean
}

/** Apps close idle connections after 2 s (gunicorn) or 5 s (Node, uvicorn): we close them earlier than most. */
const IDLE_MS = 3500
const SWEEP_MS = 1000
const MAX_IDLE = 64

/** The connections to one callee, shared by all callers. The one used last is used next. */
export class Pool implements UpstreamOwner {
  readonly hosts: readonly string[]
  readonly port: number
  readonly dial: Dial | undefined
  /** The Host header of requests. */
  readonly authority: string
  /** The app's `appProtocol`, '': not known. */
  readonly protocol: string
  /** Bytes of one gRPC message, to the callee and back; 0: any number. */
  readonly maxMessageBytes: number
  /** Its gRPC connections, each for many calls; created by the first. */
  frameClients: FrameClients | undefined
  /** Process behind the pool, if it is known. */
  readonly process: PooledProcess | undefined
  readonly responseHeads = new ResponseHeads()
  /** The process behind it was replaced, or is about to be. */
  isRetired = false
  readonly #idle: Upstream[] = []
  readonly #all = new Set<Upstream>()
  #plain: Pool | undefined
  #sweep: NodeJS.Timeout | undefined
  /** Time of the last sweep (`performance.now()`). */
  #sweptAt = 0

  constructor({hosts, port, dial, authority, protocol = '', maxMessageBytes = 0, process}: PoolOptions) {
    this.protocol = protocol
    this.maxMessageBytes = maxMessageBytes
    this.process = process
    this.hosts = hosts
    this.port = port
    this.dial = dial
    this.authority = authority ?? authorityOf(hosts[0] ?? '127.0.0.1', port)
  }

  /** Protocol of the callee for calls over HTTP. */
  get protocolOfHttp(): Protocol {
    return this.dial?.protocol ?? 'HTTP/1.1'
  }

  /** A pool for the same process over plain TCP, whatever its `appProtocol`. */
  get plain(): Pool {
    if (this.dial === undefined) return this
    const {hosts, port, process} = this
    this.#plain ??= new Pool({hosts, port, ...(process && {process})})
    return this.#plain
  }

  /** Returns an idle connection, or a new one. */
  take(): Upstream {
    return this.#idle.pop() ?? this.connect()
  }

  /** A new connection, never a reused one. */
  connect(): Upstream {
    const loaded = this.dial?.remote?.(this)
    const upstream = loaded === undefined ? new Http1Upstream(this) : new RemoteUpstream(this, loaded)
    this.#all.add(upstream)
    return upstream
  }

  /** Returns a source of upstreams to the same process that another client carries. */
  through(connect: Connect): UpstreamSource {
    const open = (): Upstream => new RemoteUpstream(this, Promise.resolve(connect))
    const isRetired = (): boolean => this.isRetired
    return {
      take: open,
      connect: open,
      get isRetired() {
        return isRetired()
      }
    }
  }

  keep(upstream: Upstream): boolean {
    if (this.isRetired || this.#idle.length >= MAX_IDLE) return false
    this.#idle.push(upstream)
    if (this.#sweep === undefined) this.#startSweep()
    return true
  }

  forget(upstream: Upstream): void {
    this.#all.delete(upstream)
    const at = this.#idle.indexOf(upstream)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  /** Closes idle connections now, others after their call. Later calls get new connections. */
  retire(): void {
    this.isRetired = true
    clearInterval(this.#sweep)
    for (const upstream of this.#idle.splice(0)) upstream.drop()
    this.frameClients?.retire()
    this.#plain?.retire()
  }

  /** Retires the pool, and also closes connections with a call in flight. */
  cut(): void {
    this.retire()
    for (const upstream of this.#all) upstream.cut()
    this.frameClients?.cut()
    this.#plain?.cut()
  }

  #startSweep(): void {
    this.#sweptAt = performance.now()
    this.#sweep = setInterval(() => this.#age(), SWEEP_MS).unref()
  }

  /** Closes idle connections by the clock: on a busy or suspended machine the sweep runs late, after the app has closed them. */
  #age(): void {
    const now = performance.now()
    const passedMs = now - this.#sweptAt
    this.#sweptAt = now
    for (const upstream of this.#idle.filter(each => (each.idleMs += passedMs) > IDLE_MS)) upstream.drop()
    if (this.#idle.length > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }
}

/** The exit of a process is noticed shortly after its connections have closed. */
const EXIT_TIMEOUT_MS = 250
/** Time after the leader's exit to end the rest of the group, and to read the last lines, in ms. */
const END_TIMEOUT_MS = 2000

/** Returns how the process behind a closed connection ended; '' if it probably still runs. */
export async function howEnded({ended, isEnding}: PooledProcess): Promise<string> {
  const how = await within(EXIT_TIMEOUT_MS, ended)
  return how ?? (isEnding() ? await within(END_TIMEOUT_MS, ended) : undefined) ?? ''
}
