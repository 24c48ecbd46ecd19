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
  /** How to connect; omitted: plain TCP. */
  readonly dial?: Dial | undefined
  /** Host header of requests; omitted: the first address and the port. */
  readonly authority?: string
  /** The app's `appProtocol`; omitted: unknown. */
  readonly protocol?: string
  /** Maximum size of one gRPC message in each direction (the app's `maxBodySize`); 0 or omitted: unknown or unlimited. */
  readonly maxMessageBytes?: number
  readonly process?: PooledProcess
}

/** A source of connections for an exchange. */
export type UpstreamSource = Pick<Pool, 'take' | 'connect' | 'isRetired'>

/** The process behind a pool. */
export interface PooledProcess {
  /** Resolves when calls can no longer reach the process, with the reason; '': another process has replaced it. */
  readonly ended: Promise<string>
  /** Whether the group's leader has exited, while Pillion still ends its other processes. */
  readonly isEnding: () => boolean
}

/** Idle time after which a connection is closed, in ms: earlier than most apps close it (Node, uvicorn: 5 s; gunicorn: 2 s). */
const IDLE_MS = 3500
const SWEEP_MS = 1000
const MAX_IDLE = 64

/** The connections to one process of a callee, shared by all callers. Reuses the connection that was used last. */
export class Pool implements UpstreamOwner {
  readonly hosts: readonly string[]
  readonly port: number
  readonly dial: Dial | undefined
  /** Host header of requests. */
  readonly authority: string
  /** The app's `appProtocol`; '': unknown. */
  readonly protocol: string
  /** Maximum size of one gRPC message in each direction; 0: no limit. */
  readonly maxMessageBytes: number
  /** HTTP/2 connections, each for many calls; undefined: no call has needed them yet. */
  frameClients: FrameClients | undefined
  /** Process behind the pool; undefined: unknown. */
  readonly process: PooledProcess | undefined
  readonly responseHeads = new ResponseHeads()
  /** Whether the process was replaced, or is about to be. */
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

  /** Protocol by which HTTP calls reach the callee. */
  get protocolOfHttp(): Protocol {
    return this.dial?.protocol ?? 'HTTP/1.1'
  }

  /** Pool for the same process over plain TCP, whatever its `appProtocol`. */
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

  /** Opens a new connection, for calls that must not reuse one. */
  connect(): Upstream {
    const loaded = this.dial?.remote?.(this)
    const upstream = loaded === undefined ? new Http1Upstream(this) : new RemoteUpstream(this, loaded)
    this.#all.add(upstream)
    return upstream
  }

  /** Returns a source of connections to the same process through another client. */
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

  /** Closes idle connections now, and others after their call, since another pool gets the later calls. */
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

  /** Closes connections that were idle too long. Measures the passed time, since the sweep runs late on a busy or suspended machine. */
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

/** Maximum wait for the exit of a process after its connection has closed, in ms. */
const EXIT_TIMEOUT_MS = 250
/** Maximum wait, after the leader's exit, until the rest of its group has ended and the last lines are read, in ms. */
const END_TIMEOUT_MS = 2000

/** Returns how the process behind a closed connection ended; '': it probably still runs. */
export async function howEnded({ended, isEnding}: PooledProcess): Promise<string> {
  const how = await within(EXIT_TIMEOUT_MS, ended)
  return how ?? (isEnding() ? await within(END_TIMEOUT_MS, ended) : undefined) ?? ''
}
