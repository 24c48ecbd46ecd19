// proxy/published/ serves the ports at which apps are called without Dapr's API (`port` of a template), and the entrance for calls by name. Requests
// to a port are passed on unchanged except for an added `traceparent`, wait while the app starts or reloads, and are recorded like any other call.
import type net from 'node:net'
import {TO_OWN_COPY} from '../../model/app-name.ts'
import {copiedEnds, type Ends} from '../../platform/proc-net.ts'
import {BytesCall} from './bytes-call.ts'
import {CallPort, isHttp2} from './call-port.ts'
import type {PublishedConnection} from './published-connection.ts'
import type {PublishedContext} from './published-port-call.ts'
import type {VerbatimHead} from './verbatim-head.ts'

/** Silence of a new connection after which the app may be one that speaks first (a database, a mail server), in ms. */
const SILENCE_MS = 200

/** The facts about a connection that one copy of a run passes on to another copy. */
export interface PortCaller {
  /** Id of the called app. */
  readonly app: string
  readonly ends: Ends
}

/** Finds the other copy (a run of the same template) to which a connection or request belongs. Both return its control socket; '': this run. */
export interface OwnCopy {
  /** Returns the copy whose process is at the other end of a connection. */
  readonly at: (ends: Ends, app: string) => string
  /** Returns the copy that has a host name. */
  readonly named: (host: string, app: string) => string
}

/** Matches the host name of the page that sends a request (RFC 6454 §7.1, RFC 9110 §10.1.3). */
const PAGE = /^(?:origin|referer):[ \t]*https?:\/\/([^\s/:]+\.[a-z]+)(?=[\s/:])/im

/** The listener at an app's published port: passes each request, stream and connection to the app that runs behind it. */
export class PublishedPort extends CallPort {
  readonly #contextOf: () => PublishedContext
  readonly #ownCopy: OwnCopy | undefined
  /** Whether the app has answered in HTTP/1, and so does not speak first. A request alone proves nothing: callers may only probe the port. */
  #speaksHttp = false
  /** Number of open HTTP/1 requests. Their responses show whether the app speaks HTTP. */
  #asked = 0

  /**
   * `claims`: listening servers, which the port closes later. `contextOf`: returns the context of calls to the port's current app. `appAt`:
   * returns the app at the other end of a connection; '': not an app of the run.
   */
  constructor(
    claims: readonly net.Server[],
    contextOf: () => PublishedContext,
    appAt: (ends: Ends) => string,
    ownCopy?: OwnCopy
  ) {
    super(appAt, text => contextOf().warn(text))
    this.#contextOf = contextOf
    this.#ownCopy = ownCopy
    this.listen(claims)
  }

  start(head: VerbatimHead, connection: PublishedConnection): void {
    const context = this.#contextOf()
    const page = this.#ownCopy === undefined ? undefined : PAGE.exec(head.lines)?.[1]
    const path = page === undefined ? '' : (this.#ownCopy?.named(page.toLowerCase(), context.callee) ?? '')
    // the other copy gets this one request: the next request on the connection may belong to another page
    if (path !== '') return this.#passOn(path, connection.socket, lastOf(head, connection.leave()))
    this.#asked++
    this.begin(context, head, connection)
  }

  override ended(isAnswered: boolean): void {
    this.#asked--
    this.#speaksHttp ||= isAnswered
  }

  passBytes(socket: net.Socket, early: Buffer): void {
    if (isHttp2(early)) return void this.serveFrames(socket, early, this.#contextOf)
    const reopen = early.length > 0 ? undefined : (): void => void this.follow(socket)
    new BytesCall(this.#contextOf(), this.callerOf(socket), socket, early, reopen, this.endsOf(socket)).start()
  }

  /** Reads a new connection. If a process of another copy has made it, that copy gets the connection: its process means its own app. */
  protected override accept(socket: net.Socket): void {
    const app = this.#contextOf().callee
    const path = this.#ownCopy?.at(socket, app) ?? ''
    if (path === '') super.accept(socket)
    else this.#passOn(path, socket, Buffer.alloc(0))
  }

  protected override follow(socket: net.Socket): PublishedConnection {
    const connection = super.follow(socket)
    this.#listenFor(connection)
    return connection
  }

  /** Relays a connection to the copy with this control socket. */
  #passOn(path: string, socket: net.Socket, early: Buffer): void {
    const caller: PortCaller = {app: this.#contextOf().callee, ends: copiedEnds(socket)}
    this.passOn(socket, {path, protocol: TO_OWN_COPY, caller, early, failed: () => void socket.resetAndDestroy()})
  }

  /** Passes a connection that stays silent as bytes, since the app may speak first. Waits for open requests, whose responses show its protocol. */
  #listenFor(connection: PublishedConnection): void {
    if (this.#speaksHttp || !this.isKnown(connection)) return
    const late = (): void => {
      if (this.#asked > 0 || this.#speaksHttp) this.#listenFor(connection)
      else connection.passIfSilent()
    }
    // the setImmediate lets a process that was busy read bytes that have already arrived
    setTimeout(() => setImmediate(late), SILENCE_MS).unref()
  }
}

/** Returns the bytes of a request with `Connection: close`. A request that asks to switch the protocol stays unchanged. */
function lastOf({text, size, asksForSwitch}: VerbatimHead, bytes: Buffer): Buffer {
  if (asksForSwitch) return bytes
  const lines = text.slice(0, size - 2).replaceAll(/^(?:connection|keep-alive):[^\n]*\n/gim, '')
  return Buffer.concat([Buffer.from(`${lines}Connection: close\r\n\r\n`, 'latin1'), bytes.subarray(size)])
}
