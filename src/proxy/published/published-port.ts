// proxy/published/ serves the ports at which apps are called without Dapr's API (`port` of a template). Requests are passed on
// unchanged except for an added `traceparent`, wait while the app starts or reloads, and are recorded like any other call.
import net from 'node:net'
import {bugText} from '../../model/errors.ts'
import {attach, release} from '../net/claimed-server.ts'
import {Connections} from '../net/connections.ts'
import {contain} from '../net/error-boundary.ts'
import {KnownHeads} from '../net/http1/known-heads.ts'
import {shareReads} from '../net/http1/shared-reads.ts'
import type {FrameServer} from '#h2-frames'
import {OUTSIDE, type Call} from '../../model/call.ts'
import {isLocal, type Ends} from '../../platform/proc-net.ts'
import {BytesCall} from './bytes-call.ts'
import {PublishedPortCall, type PublishedContext} from './published-port-call.ts'
import {PublishedConnection, type PublishedHost} from './published-connection.ts'
import {readVerbatimHead, type VerbatimHead} from './verbatim-head.ts'

/** After such a silence of a new connection, in ms, the app may be one that speaks first: a database, a mail server. */
const SILENCE_MS = 200

/** How a caller begins that speaks HTTP/2 (RFC 9113 §3.4). */
const HTTP2 = 'PRI * HTTP/2'

/**
 * How often callers of HTTP/2 on other machines are looked at, in ms: one that is silent is pinged, one that does not answer that is cut. On
 * this machine no caller is gone without a word, and one in a debugger does not answer.
 */
const LOOK_MS = 10_000

/** A connection whose caller is looked up once. */
interface Attributed {
  readonly socket: net.Socket
  /** App id of the caller; empty until it is known. */
  caller: string
}

/** The port at which others call an app. */
export class PublishedPort implements PublishedHost {
  isClosing = false
  readonly #claims: readonly net.Server[]
  readonly #contextOf: () => PublishedContext
  readonly #appAt: (ends: Ends) => string
  readonly #servers: readonly net.Server[]
  readonly #connections = new Connections()
  readonly #http = new Set<PublishedConnection>()
  readonly #frames = new Set<FrameServer>()
  /** The app has answered in HTTP/1: it is none that speaks first. That a caller speaks it shows nothing: some only look what listens there. */
  #speaksHttp = false
  /** Requests of HTTP/1 whose answers are to show it. */
  #asked = 0
  readonly #known = new KnownHeads<VerbatimHead>()

  /**
   * `claims` are bound and listening; the port owns them from now on. `contextOf` returns what calls need to the app that is called there now,
   * `appAt` the app that holds the other end of a connection, '' = none of the run.
   */
  constructor(claims: readonly net.Server[], contextOf: () => PublishedContext, appAt: (ends: Ends) => string) {
    this.#claims = claims
    this.#contextOf = contextOf
    this.#appAt = appAt
    this.#servers = claims.map(claim => {
      const server = net.createServer({allowHalfOpen: true, noDelay: true})
      shareReads(server)
      this.#connections.follow(server)
      server.on('connection', (socket: net.Socket) => this.#accept(socket))
      attach(claim, server, text => contextOf().warn(text))
      return server
    })
  }

  read(text: string): VerbatimHead | undefined | false {
    const known = this.#known.find(text)
    if (known !== undefined) return known
    const head = readVerbatimHead(text)
    if (head) this.#known.add(head)
    return head
  }

  start(head: VerbatimHead, connection: PublishedConnection): void {
    this.#asked++
    const call = new PublishedPortCall(this.#contextOf(), this.#knownCaller(connection), head, connection)
    this.#number(call.call, connection)
    call.start()
    this.#attribute(call, connection)
  }

  ended(isAnswered: boolean): void {
    this.#asked--
    this.#speaksHttp ||= isAnswered
  }

  passBytes(socket: net.Socket, early: Buffer): void {
    if (early.toString('latin1', 0, HTTP2.length) === HTTP2) return void this.#serveFrames(socket, early)
    const reopen = early.length > 0 ? undefined : (): void => this.#follow(socket)
    new BytesCall(this.#contextOf(), this.#callerOf(socket), socket, early, reopen).start()
  }

  forget(connection: PublishedConnection): void {
    this.#http.delete(connection)
  }

  /** Accepts nothing new and lets calls in flight finish, until `cut` is aborted. Settles when the last connection is closed. */
  async close(cut?: AbortSignal): Promise<void> {
    this.isClosing = true
    for (const server of this.#servers) server.close()
    for (const claim of this.#claims) release(claim)
    for (const connection of this.#http) if (!connection.isBusy) connection.destroy()
    for (const connection of this.#frames) connection.leave()
    if (cut?.aborted === true) this.#connections.destroy()
    cut?.addEventListener('abort', () => this.#connections.destroy(), {once: true})
    await this.#connections.gone()
  }

  #accept(socket: net.Socket): void {
    contain(socket, error => {
      this.#contextOf().warn(bugText(error))
      socket.destroy()
    })
    this.#follow(socket)
  }

  /** Reads a connection of which nothing is known yet. */
  #follow(socket: net.Socket): void {
    const connection = new PublishedConnection(this, socket)
    this.#http.add(connection)
    if (this.isClosing) connection.destroy()
    this.#listenFor(connection)
  }

  /** The app may be one that speaks first, which callers wait for that are silent, once no answer is to show what it speaks. */
  #listenFor(connection: PublishedConnection): void {
    if (this.#speaksHttp || !this.#http.has(connection)) return
    const late = (): void => {
      if (this.#asked > 0 || this.#speaksHttp) this.#listenFor(connection)
      else connection.passIfSilent()
    }
    // where this process was held up, what was sent meanwhile is read first
    setTimeout(() => setImmediate(late), SILENCE_MS).unref()
  }

  /** A caller of HTTP/2 without TLS. */
  async #serveFrames(socket: net.Socket, early: Buffer): Promise<void> {
    socket.pause().on('error', () => socket.destroy())
    try {
      const {serveFrames} = await import('./frame-calls.ts')
      if (socket.destroyed) return
      const connection = {socket, caller: ''}
      let looking: NodeJS.Timeout | undefined
      const frames = serveFrames({
        socket,
        context: this.#contextOf,
        caller: () => this.#knownCaller(connection),
        onStart: call => this.#attribute(call, connection),
        onEnd: ended => {
          clearInterval(looking)
          this.#frames.delete(ended)
        }
      })
      this.#frames.add(frames)
      if (!isLocal(socket)) looking = setInterval(() => frames.look(), LOOK_MS).unref()
      frames.read(early, early.length)
      if (this.isClosing) frames.leave()
    } catch (error) {
      this.#contextOf().warn(bugText(error))
      socket.destroy()
    }
  }

  /** A rule may name its caller, and a call that the app does not take may be over at once: then it has to be known before. */
  #knownCaller(connection: Attributed): string {
    const {faults, isOpen} = this.#contextOf()
    if (connection.caller === '' && (faults?.active !== undefined || !isOpen()))
      connection.caller = this.#callerOf(connection.socket)
    return connection.caller || OUTSIDE
  }

  /** Finds the caller while the app works: its answer cannot have been read yet. */
  #attribute({call}: {readonly call: Call}, connection: Attributed): void {
    if (connection.caller !== '') return this.#number(call, connection)
    setImmediate(() => {
      connection.caller ||= this.#callerOf(connection.socket)
      this.#number(call, connection)
      if (connection.caller === OUTSIDE) return
      call.caller = connection.caller
      this.#contextOf().observer?.attributed?.(call)
    })
  }

  /** Lets the response name its call if the caller is known to be a program of this machine and not an app. */
  #number(call: Call, {caller, socket}: Attributed): void {
    if (caller === OUTSIDE && isLocal(socket) && this.#contextOf().namesCalls?.() === true) call.isNumbered = true
  }

  #callerOf(socket: net.Socket): string {
    return this.#appAt(socket) || OUTSIDE
  }
}
