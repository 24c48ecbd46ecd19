import net from 'node:net'
import type {FrameServer} from '#h2-frames'
import type {Protocol} from '../../model/call-protocol.ts'
import {OUTSIDE, type Call} from '../../model/call.ts'
import {bugText} from '../../model/errors.ts'
import {within} from '../../platform/delay.ts'
import {isLocal, type Ends} from '../../platform/proc-net.ts'
import {attach, boundAt, closeServed, offer, release} from '../net/claimed-server.ts'
import {Connections} from '../net/connections.ts'
import {contain} from '../net/error-boundary.ts'
import {KnownHeads} from '../net/http1/known-heads.ts'
import type {FrameCallsOptions} from './frame-calls.ts'
import {passOn, type PassedOn} from './pass-on.ts'
import {PublishedConnection, type PublishedHost} from './published-connection.ts'
import {PublishedPortCall, type PublishedContext} from './published-port-call.ts'
import {readVerbatimHead, strippedHead, type VerbatimHead} from './verbatim-head.ts'

/** Whether the first bytes of a connection are the preface of HTTP/2 (RFC 9113 §3.4). */
export const isHttp2 = (early: Buffer): boolean => early.toString('latin1', 0, 12) === 'PRI * HTTP/2'

/**
 * Interval of checks of HTTP/2 callers on other machines, in ms: the check pings a silent caller, then closes its connection. Callers on
 * this machine need no check: the kernel closes their connections when they exit.
 */
const LOOK_MS = 10_000

/** Maximum wait at the end of this run for connections that other runs serve through it, in ms. */
const LEAVE_MS = 1000
/** Time in which a connection without a request may still send one after another run has taken over the port, in ms. */
const FIRST_MS = 200

/** A connection, and the app that made it. The port looks up the app once per connection. */
interface Attributed {
  readonly socket: net.Socket
  /** App id of the caller; '': not looked up yet. */
  caller: string
}

/**
 * Base of the listeners at which clients call apps without Dapr's API: a published port, and the entrance. Owns the bound addresses and the
 * connections, finds the calling app, and starts calls. A subclass chooses the callee.
 */
export abstract class CallPort implements PublishedHost {
  isClosing = false
  /** Name that records show for a caller that is not an app of the run. */
  protected readonly unknownCaller: string = OUTSIDE
  /** Address that several runs can bind at once, so that the next run binds it before this run closes it; '': none. */
  protected readonly sharedAddress: string = ''
  protected readonly connections = new Connections()
  /** Servers that hold the bound addresses, each with the server that accepts its connections. */
  readonly #served = new Map<net.Server, net.Server>()
  readonly #http = new Set<PublishedConnection>()
  readonly #frames = new Set<FrameServer>()
  /** Addresses of the original callers, by connections that other runs have passed on. */
  readonly #callerEnds = new WeakMap<net.Socket, Ends>()
  /** Connections of other runs that wait to take over the port. */
  readonly #successors = new Set<net.Socket>()
  /** Connections that this run relays to other runs. */
  readonly #relayed = new Set<net.Socket>()
  readonly #known = new KnownHeads<VerbatimHead>()
  readonly #appAt: (ends: Ends) => string
  readonly #warn: (text: string) => void

  /** `appAt`: returns the app at the other end of a connection, '': none of the run. */
  constructor(appAt: (ends: Ends) => string, warn: (text: string) => void) {
    this.#appAt = appAt
    this.#warn = warn
  }

  abstract start(head: VerbatimHead, connection: PublishedConnection): void

  abstract passBytes(socket: net.Socket, early: Buffer): void

  ended(_isAnswered: boolean): void {
    // only a published port needs the protocol of its app
  }

  /** Serves the connections of these listening servers. The port closes the servers later. */
  listen(claims: readonly net.Server[]): void {
    for (const claim of claims) {
      const server = net.createServer({allowHalfOpen: true, noDelay: true})
      this.connections.follow(server)
      server.on('connection', (socket: net.Socket) => this.accept(socket))
      attach(claim, server, this.#warn)
      this.#served.set(claim, server)
    }
  }

  /** Serves a connection that another run has passed on. `ends`: addresses of its caller. `early`: bytes that the other run has read. */
  adopt(socket: net.Socket, ends: Ends, early: Buffer): void {
    this.#callerEnds.set(socket, ends)
    this.connections.add(socket)
    this.accept(socket)
    if (early.length > 0 && !socket.destroyed) socket.emit('data', early)
  }

  protected accept(socket: net.Socket): void {
    contain(socket, error => {
      this.#warn(bugText(error))
      socket.destroy()
    })
    this.follow(socket)
  }

  protected follow(socket: net.Socket): PublishedConnection {
    const connection = new PublishedConnection(this, socket, this.protocolOf(socket))
    this.#http.add(connection)
    if (this.isClosing) connection.destroy()
    return connection
  }

  /** Returns the caller's own protocol. The entrance translates HTTP/2 to HTTP/1 in front of this port. */
  protected protocolOf(_socket: net.Socket): Protocol {
    return 'HTTP/1.1'
  }

  /** Whether the port reads a connection as HTTP/1. */
  protected isKnown(connection: PublishedConnection): boolean {
    return this.#http.has(connection)
  }

  forget(connection: PublishedConnection): void {
    this.#http.delete(connection)
  }

  read(text: string): VerbatimHead | undefined | false {
    const known = this.#known.find(text)
    if (known !== undefined) return known
    const head = readVerbatimHead(text)
    if (head) this.#known.add(head)
    return head
  }

  /** Starts the call of a request. `lines`: header lines to add for the app. */
  protected begin(called: PublishedContext, received: VerbatimHead, connection: PublishedConnection, lines = ''): void {
    const {context = called, strips = ''} = called.routed?.(received.path) ?? {}
    const head = strips === '' ? received : strippedHead(received, strips)
    const call = new PublishedPortCall(context, this.#knownCaller(context, connection), head, connection, lines)
    this.#number(context, call.call, connection)
    call.start()
    this.#attribute(context, call, connection)
  }

  /** Serves a caller that speaks HTTP/2. The app gets its fields and data unchanged. */
  protected async serveFrames(
    socket: net.Socket,
    early: Buffer,
    contextOf: FrameCallsOptions['context']
  ): Promise<void> {
    socket.pause().on('error', () => socket.destroy())
    try {
      const {serveFrames} = await import('./frame-calls.ts')
      if (socket.destroyed) return
      const connection = {socket, caller: ''}
      let checking: NodeJS.Timeout | undefined
      const frames = serveFrames({
        socket,
        context: contextOf,
        warn: this.#warn,
        caller: context => this.#knownCaller(context, connection),
        onStart: (call, context) => this.#attribute(context, call, connection),
        onEnd: ended => {
          clearInterval(checking)
          this.#frames.delete(ended)
        }
      })
      this.#frames.add(frames)
      if (!isLocal(this.endsOf(socket))) checking = setInterval(() => frames.look(), LOOK_MS).unref()
      frames.read(early, early.length)
      if (this.isClosing) frames.leave()
    } catch (error) {
      this.#warn(bugText(error))
      socket.destroy()
    }
  }

  /** Returns the caller. Looks it up before the call if a fault rule may name it or the queue may deny the call at once; else `#attribute` does later. */
  #knownCaller({faults, isOpen}: PublishedContext, connection: Attributed): string {
    if (connection.caller === '' && (faults?.active !== undefined || !isOpen()))
      connection.caller = this.callerOf(connection.socket)
    return connection.caller || this.unknownCaller
  }

  /** Looks up the caller in the next turn of the event loop, after the request was sent: the lookup adds no latency. */
  #attribute(context: PublishedContext, {call}: {readonly call: Call}, connection: Attributed): void {
    if (connection.caller !== '') return this.#number(context, call, connection)
    setImmediate(() => {
      connection.caller ||= this.callerOf(connection.socket)
      this.#number(context, call, connection)
      if (connection.caller === this.unknownCaller) return
      call.caller = connection.caller
      context.observer?.attributed?.(call)
    })
  }

  /** Marks a call for the response header with its number, if its caller is a program of this machine and not an app. */
  #number({namesCalls}: PublishedContext, call: Call, {caller, socket}: Attributed): void {
    if (caller === this.unknownCaller && isLocal(this.endsOf(socket)) && namesCalls?.() === true) call.isNumbered = true
  }

  protected callerOf(socket: net.Socket): string {
    return this.#appAt(this.endsOf(socket)) || this.unknownCaller
  }

  /** Returns the addresses of the caller's connection, also of a connection that another run has passed on. */
  protected endsOf(socket: net.Socket): Ends {
    return this.#callerEnds.get(socket) ?? socket
  }

  protected isPassedIn(socket: net.Socket): boolean {
    return this.#callerEnds.has(socket)
  }

  /** Relays a connection to another run. */
  protected passOn(socket: net.Socket, options: PassedOn): void {
    this.#relayed.add(socket)
    socket.on('close', () => this.#relayed.delete(socket))
    passOn(socket, options)
  }

  /** Keeps a connection of another run, which gets the port when this run ends. */
  keepSuccessor(successor: net.Socket): void {
    this.#successors.add(successor)
    successor.on('close', () => this.#successors.delete(successor)).on('end', () => successor.destroy())
    if (this.isClosing) successor.destroy()
  }

  /** Gives the port to a run that waits for it, if there is one. Settles when open calls have ended, after `LEAVE_MS` at most. */
  async handOver(): Promise<void> {
    const [successor] = this.#successors
    if (successor === undefined) return
    await this.free(successor, this.#served.keys(), this.sharedAddress)
    for (const socket of this.#successors) socket.destroy()
    this.leaveSoon()
    await within(LEAVE_MS, this.connections.gone())
  }

  /** Closes addresses one after the other, by default all. `successor`: run that binds each closed address next, and `sharedAddress` before. */
  async free(successor?: net.Socket, claims: Iterable<net.Server> = this.#served.keys(), shared = ''): Promise<void> {
    for (const claim of claims) {
      const at = boundAt(claim)
      if (at.address === shared) await offer(at, successor)
      await closeServed(claim, this.#served.get(claim))
      if (at.address !== shared) await offer(at, successor)
    }
  }

  /** Closes connections after another run has taken over the port: open calls finish, a new connection may send one request, tunnels end. */
  leaveSoon(isMeant: (connection: PublishedConnection) => boolean = () => true): void {
    for (const connection of this.#frames) connection.leave()
    this.endSoon(connection => {
      if (isMeant(connection) && connection.isTunnel) connection.destroy()
      return isMeant(connection)
    }, true)
    const closeFresh = (): void => this.endSoon(({isFresh, isLeaving}) => isFresh && isLeaving)
    // the setImmediate lets a process that was busy read bytes that have already arrived
    setTimeout(() => setImmediate(closeFresh), FIRST_MS).unref()
  }

  /** Closes HTTP/1 connections after their current request. `keepsFresh`: a connection without a request yet may still send one. */
  protected endSoon(isMeant: (connection: PublishedConnection) => boolean, keepsFresh = false): void {
    for (const connection of this.#http) {
      if (!isMeant(connection)) continue
      connection.isLeaving = true
      if (!connection.isBusy && !(keepsFresh && connection.isFresh)) connection.destroy()
    }
  }

  /** Stops accepting connections, and lets calls in flight finish. An abort of the signal closes them. Settles when no connection is left. */
  async close(signal?: AbortSignal): Promise<void> {
    this.isClosing = true
    for (const [claim, server] of this.#served) {
      server.close()
      release(claim)
    }
    for (const socket of this.#successors) socket.destroy()
    this.endSoon(() => true)
    for (const connection of this.#frames) connection.leave()
    if (signal?.aborted === true) this.connections.destroy()
    signal?.addEventListener('abort', () => this.connections.destroy(), {once: true})
    const timer = setTimeout(() => {
      for (const socket of this.#relayed) socket.destroy()
    }, LEAVE_MS)
    await this.connections.gone()
    clearTimeout(timer)
  }
}
