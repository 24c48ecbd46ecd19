import type {Dial} from './dialer.ts'
import {Upstream, type Home} from './http1/upstream.ts'

export interface PoolOptions {
  /** Addresses of the callee, tried in this order: 127.0.0.1, ::1. */
  readonly hosts: readonly string[]
  readonly port: number
  /** Left out: plain TCP. */
  readonly dial?: Dial | undefined
  /** What a request's Host field says; left out: the first address and the port. */
  readonly authority?: string
  /** Stands in brackets behind why a call failed; left out: nothing does. */
  readonly hint?: string
}

/** Apps hang up on idle connections after 2 s (gunicorn) or 5 s (Node, uvicorn): we let go of them before most do. */
const IDLE_SECONDS = 3
const MAX_IDLE = 64

/** The connections to one callee; shared by all who call it. The one used last is used next. */
export class Pool implements Home {
  readonly hosts: readonly string[]
  readonly port: number
  readonly dial: Dial | undefined
  /** What a request's Host field says. */
  readonly authority: string
  /** What is to be said of calls that fail, '' = nothing. */
  readonly hint: string
  readonly #idle: Upstream[] = []
  readonly #all = new Set<Upstream>()
  #isRetired = false
  #sweep: NodeJS.Timeout | undefined

  constructor({hosts, port, dial, authority, hint = ''}: PoolOptions) {
    this.hint = hint
    this.hosts = hosts
    this.port = port
    this.dial = dial
    const host = hosts[0] ?? '127.0.0.1'
    this.authority = authority ?? `${host.includes(':') ? `[${host}]` : host}:${port.toString()}`
  }

  /** The process behind it was exchanged, or is about to be. */
  get isRetired(): boolean {
    return this.#isRetired
  }

  /** A free connection, or a new one. */
  take(): Upstream {
    return this.#idle.pop() ?? this.connect()
  }

  /** A new connection, never a used one. */
  connect(): Upstream {
    const upstream = new Upstream(this)
    this.#all.add(upstream)
    return upstream
  }

  keep(upstream: Upstream): boolean {
    if (this.#isRetired || this.#idle.length >= MAX_IDLE) return false
    this.#idle.push(upstream)
    this.#sweep ??= setInterval(() => this.#age(), 1000).unref()
    return true
  }

  forget(upstream: Upstream): void {
    this.#all.delete(upstream)
    const at = this.#idle.indexOf(upstream)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  /** Ends the free connections; those that carry a call end after it. Calls that come later get new connections. */
  retire(): void {
    this.#isRetired = true
    clearInterval(this.#sweep)
    for (const upstream of this.#idle.splice(0)) upstream.drop()
  }

  /** Retires, and ends also those connections that carry a call. */
  cut(): void {
    this.retire()
    for (const upstream of this.#all) upstream.cut()
  }

  #age(): void {
    for (const upstream of this.#idle.filter(each => ++each.idle > IDLE_SECONDS)) upstream.drop()
    if (this.#idle.length > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }
}
