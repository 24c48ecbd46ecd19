import type net from 'node:net'
import type {Protocol} from '../../model/call-protocol.ts'
import type {Downstream} from '../net/exchange-parts.ts'
import {Exchange} from '../net/exchange.ts'
import {abortConnection} from '../net/http1/abort-connection.ts'
import {CallerSocket} from '../net/http1/caller-socket.ts'
import {Chunks} from '../net/http1/chunked.ts'
import {HEAD_LIMIT, type ResponseHead} from '../net/http1/response-head.ts'
import {isMuchWork, letOthersRead, owned} from '../../platform/shared-reads.ts'
import {TurnShare} from '../../platform/own-turn.ts'
import {closeLingering} from '../../platform/lingering-close.ts'
import {replyText, type Reply} from '../net/reply.ts'
import type {VerbatimHead} from './verbatim-head.ts'
import {TunnelStream} from './tunnel-stream.ts'

/** The methods of a port (`CallPort`) that its connections call. */
export interface PublishedHost {
  /** Reads a head like `readVerbatimHead`, and caches it. */
  read(text: string): VerbatimHead | undefined | false
  /** Starts the call of a request, which calls `begin` of the connection. */
  start(head: VerbatimHead, connection: PublishedConnection): void
  /** Called with the start of the body of an error response, as latin1. */
  refused?(head: VerbatimHead, status: number, body: string): void
  /** Returns the head of a redirect, rewritten for the caller. */
  moved?(head: VerbatimHead, text: string): string
  /** Called when the call of a request has ended. `isAnswered`: the app has sent a response. */
  ended(isAnswered: boolean): void
  /** Handles bytes that are not HTTP/1: as HTTP/2, or as a connection of bytes. */
  passBytes(socket: net.Socket, bytes: Buffer): void
  forget(connection: PublishedConnection): void
}

/** Bytes of an error response that `refused` gets: frameworks state the reason at the start. */
const TOLD = 4096

/**
 * A caller's connection to a published port while it speaks HTTP/1. Makes one call at a time, and relays each request with its framing
 * unchanged. A request that programs could read in different ways passes as bytes, so that the app decides about it.
 */
export class PublishedConnection implements Downstream {
  readonly isVerbatim = true
  /** Protocol of the caller, which a listener in front may have translated. */
  readonly protocol: Protocol
  toHead = false
  /** Set while the current request asks to switch the protocol, as WebSocket does; undefined: it does not. */
  tunnel: TunnelStream | undefined
  /** Whether no request has arrived yet. */
  isFresh = true
  /** Whether no further request is accepted. */
  isLeaving = false
  /** Id of the calling app; '': not looked up yet. */
  caller = ''
  readonly socket: net.Socket
  readonly #host: PublishedHost
  readonly #caller: CallerSocket
  readonly #exchange: Exchange
  readonly #share = new TurnShare()
  /** The request of the current call. */
  #request: VerbatimHead | undefined
  /** Bytes of its body that have not arrived yet; 0 also for a chunked body. */
  #left = 0
  /** Parser of its chunked body; undefined: the body has a length, or has arrived. */
  #chunks: Chunks | undefined
  /** Whether the exchange has asked for the body: the callee is connected. */
  #isSending = false
  /** Whether the connection closes after the current response. */
  #isLast = false
  /** Whether the app has answered the current request. */
  #isAnswered = false
  /** The status of a response whose body has not begun, if it is an error; 0 otherwise. */
  #errorStatus = 0
  /** Whether the connection has become a tunnel: the app has accepted the switch of the protocol. */
  #isSwitched = false
  /** Whether this object no longer reads the connection: another reader has it, or it is closing. */
  #isLeft = false

  constructor(host: PublishedHost, socket: net.Socket, protocol: Protocol = 'HTTP/1.1') {
    this.#host = host
    this.protocol = protocol
    this.socket = socket
    this.#exchange = new Exchange(this)
    this.#caller = new CallerSocket(socket, {
      read: bytes => this.#take(bytes),
      end: () => {
        if (this.#isSwitched) this.#exchange.finishSending()
        else if (this.#caller.early !== undefined && this.#isNoRequest) this.#passBytes()
        else this.destroy()
      },
      destroy: () => this.destroy(),
      drain: () => {
        this.#exchange.resume()
        this.#next()
      }
    })
  }

  get isTunnel(): boolean {
    return this.tunnel !== undefined
  }

  /** Whether a call is in flight, or the next one waits for a turn of the event loop. */
  get isBusy(): boolean {
    return this.#exchange.isBusy || this.#share.isWaiting
  }

  /** Passes the connection as bytes if the caller has not sent a line yet: it may wait until the app speaks first. */
  passIfSilent(): void {
    if (this.#isNoRequest && !this.socket.destroyed) this.#passBytes()
  }

  /** Starts the call of the received request. */
  begin(handler: Parameters<Exchange['begin']>[0]): Exchange {
    const {method = '', length = 0} = this.#request ?? {}
    return this.#exchange.begin(handler, method, length)
  }

  sendBody(): void {
    this.#isSending = true
    this.#upload()
  }

  resume(): void {
    this.socket.resume()
  }

  interim(text: string): void {
    this.#caller.late.write()
    this.socket.write(text, 'latin1')
  }

  whole(head: ResponseHead, lines: string, body: string): void {
    if (head.status >= 400) this.#tell(head.status, body)
    this.#caller.late.add(this.#headText(head, lines) + body)
  }

  head(head: ResponseHead, lines: string): void {
    this.#caller.writeHead(this.#headText(head, lines))
    this.#errorStatus = head.status >= 400 ? head.status : 0
    if (head.status !== 101 || this.tunnel === undefined) return
    this.#isSwitched = true
    this.tunnel.open()
    this.#upload()
  }

  body(bytes: Buffer): boolean {
    if (this.#errorStatus > 0) this.#tell(this.#errorStatus, bytes.toString('latin1', 0, TOLD))
    return this.#caller.writePiece(bytes)
  }

  cut(): void {
    abortConnection(this.socket)
    this.destroy()
  }

  reset(): void {
    this.cut()
  }

  reply(response: Reply): void {
    this.#isLast ||= !this.#isWhole
    this.#caller.late.add(replyText(response, this.toHead, this.#isLast ? 'Connection: close\r\n' : ''))
  }

  /** Starts the next call. Closes the connection if the body is incomplete: after `Expect: 100-continue` its rest may or may not follow. */
  done(): void {
    this.tunnel = undefined
    this.#host.ended(this.#isAnswered)
    if (this.#isLast || this.#isSwitched || !this.#isWhole || this.#request?.keep === false) this.#close()
    else this.#next()
  }

  /** Answers the received request without a call, and closes the connection. */
  answer(response: Reply): void {
    this.#isLast = true
    this.reply(response)
    this.#close()
  }

  /** Stops reading, for another reader. Returns all bytes since the start of the current request. */
  leave(): Buffer {
    this.#isLeft = true
    this.#host.forget(this)
    const {text = '', size = 0} = this.#request ?? {}
    return Buffer.concat([Buffer.from(text.slice(0, size), 'latin1'), this.#caller.leave() ?? Buffer.alloc(0)])
  }

  /** Closes the connection and ends its call, also after the caller has disconnected. */
  destroy(): void {
    this.#host.forget(this)
    this.#caller.late.write()
    this.socket.destroy()
    this.#exchange.abort()
  }

  /** Whether not even a request's first line has arrived. */
  get #isNoRequest(): boolean {
    return this.isFresh && this.#caller.early?.includes('\n') !== true
  }

  /** Whether the request has arrived with its whole body. */
  get #isWhole(): boolean {
    return this.#left === 0 && this.#chunks === undefined
  }

  #tell(status: number, body: string): void {
    this.#errorStatus = 0
    if (this.#request !== undefined) this.#host.refused?.(this.#request, status, body)
  }

  #headText({status, text, size, keep}: ResponseHead, lines: string): string {
    this.#isLast ||= !keep
    this.#isAnswered = true
    const head = lines === '' ? text.slice(0, size) : `${text.slice(0, size - 2)}${lines}\r\n`
    const request = status >= 300 && status < 400 ? this.#request : undefined
    return (request && this.#host.moved?.(request, head)) ?? head
  }

  #close(): void {
    this.#isLeft = true
    this.#host.forget(this)
    this.#caller.leave()
    closeLingering(this.socket.on('error', () => this.socket.destroy()))
  }

  #take(bytes: Buffer): void {
    this.#caller.addEarly(bytes)
    if (this.#isSending) this.#upload()
    if (!this.isBusy) this.#next()
    if (this.#caller.isFull && this.isBusy) this.socket.pause()
    this.#caller.keepEarly()
  }

  /** Sends received bytes of the body or the tunnel to the app. Drops them if the call has ended. */
  #upload(): void {
    const caller = this.#caller
    const bytes = caller.early
    if (this.#isSwitched) {
      caller.early = undefined
      if (bytes !== undefined && !this.#exchange.write(owned(bytes))) this.socket.pause()
      else caller.resume()
      return
    }
    const wasWhole = this.#isWhole
    const piece = caller.takeEarly(bytes === undefined ? 0 : this.#bodyIn(bytes))
    const isTaken = wasWhole || this.#exchange.sendBody(piece, this.#isWhole) || this.#isWhole
    // keeps reading when there is room: Node reports a disconnect only on a socket that is read
    if (!isTaken) this.socket.pause()
    else if (!caller.isFull) caller.resume()
  }

  /** Returns how many of these bytes belong to the body of the current request. */
  #bodyIn(bytes: Buffer): number {
    if (this.#chunks === undefined) {
      const size = Math.min(this.#left, bytes.length)
      this.#left -= size
      return size
    }
    let content = 0
    // after many tiny chunks, the parser joins the contents of chunks in place: it gets a copy, since the app must get the original bytes
    const read = this.#chunks.mayMove ? Buffer.from(bytes) : bytes
    const stop = this.#chunks.parse(read, 0, read.length, (_, from, to) => {
      content += to - from
      this.#exchange.content(read.subarray(from, to), 'request')
    })
    this.#chunks.mayMove = isMuchWork(bytes.length, content)
    if (this.#chunks.mayMove) letOthersRead(this.socket)
    if (this.#chunks.done) this.#chunks = undefined
    // sends a malformed body on, so that the app rejects it; later bytes on the connection cannot be parsed
    if (stop < 0) this.#isLast = true
    return stop < 0 ? bytes.length : stop
  }

  /** Starts received requests one after the other, as long as their calls end at once and the turn of the event loop has time. */
  #next(): void {
    this.#caller.startAll(() => this.#startNext())
  }

  /** Starts the next request if one has arrived and no call is in flight. Returns true if its call has already ended. */
  #startNext(): boolean {
    const {socket} = this
    if (this.isBusy || socket.destroyed || socket.writableNeedDrain) return false
    const bytes = this.#caller.early
    if (bytes === undefined) {
      if (this.isLeaving) this.#close()
      else this.#caller.resume()
      return false
    }
    if (!this.#share.take(() => this.#next())) return false
    const head = this.#host.read(bytes.toString('latin1', 0, Math.min(HEAD_LIMIT, bytes.length)))
    if (head === undefined) {
      this.#caller.resume()
      return false
    }
    if (head === false) {
      this.#passBytes()
      return false
    }
    this.#start(head, bytes)
    return !this.isBusy && !this.#isLeft
  }

  #start(head: VerbatimHead, bytes: Buffer): void {
    this.isFresh = false
    this.#caller.early = head.size === bytes.length ? undefined : bytes.subarray(head.size)
    this.#request = head
    this.toHead = head.method === 'HEAD'
    this.tunnel = head.asksForSwitch ? new TunnelStream(() => this.destroy()) : undefined
    this.#left = Math.max(0, head.length)
    this.#chunks = head.length < 0 ? new Chunks(false) : undefined
    this.#isSending = false
    this.#isLast = false
    this.#isAnswered = false
    this.#host.start(head, this)
  }

  #passBytes(): void {
    this.isFresh = false
    this.#host.forget(this)
    this.#host.passBytes(this.socket, this.#caller.leave() ?? Buffer.alloc(0))
  }
}
