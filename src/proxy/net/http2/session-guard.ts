import type {ServerHttp2Session} from 'node:http2'
import type {Duplex} from 'node:stream'
import {FloodGuard, costOf, ENHANCE_YOUR_CALM} from '#h2-frames'
import {flooded, isWary} from './after-floods.ts'

/** Number of useless frames of a connection, once another one has just been cut. */
const WARY_BURST = 200

const newGuard = (): FloodGuard => (isWary() ? new FloodGuard(WARY_BURST) : new FloodGuard())

/** Whether what a connection has sent ahead is a flood: it is to be closed. Its bytes stay where they are. */
export function isFlooding(socket: Duplex): boolean {
  const bytes = socket.read() as Buffer | null
  if (bytes === null) return false
  socket.unshift(bytes)
  const isTooMuch = newGuard().isTooMuch(costOf(bytes))
  if (isTooMuch) flooded()
  return isTooMuch
}

/** Cuts a session of node:http2 whose caller sends too much without use. */
export class SessionGuard {
  readonly #guard = newGuard()
  readonly #session: ServerHttp2Session
  #socket: Duplex | undefined
  #isCut = false

  /** `socket`: what the session reads from. */
  constructor(session: ServerHttp2Session, socket: Duplex | undefined) {
    this.#session = session
    this.#socket = socket
    session
      .on('ping', () => this.useless())
      .on('remoteSettings', () => this.useless())
      // Node keeps a session whose settings were not acknowledged while it leads to its error, as its connection does (see watchEnd).
      .once('close', () => (this.#socket = undefined))
  }

  /**
   * Counts a frame without use; `cost`: in pings. A caller that sent too many has its connection closed later: now nghttp2
   * is reading, and Node 26 aborts where its session is destroyed meanwhile (`current_nghttp2_memory_ >= previous_size`).
   */
  useless(cost = 1): void {
    if (this.#isCut || !this.#guard.isTooMuch(cost)) return
    this.#isCut = true
    flooded()
    setImmediate(() => this.#cut())
  }

  #cut(): void {
    const socket = this.#socket
    if (this.#session.destroyed) return
    this.#session.destroy(undefined, ENHANCE_YOUR_CALM)
    // not when the caller has taken what is still to be written: it may never
    setImmediate(() => socket?.destroy())
  }
}
