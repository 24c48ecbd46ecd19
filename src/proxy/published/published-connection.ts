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

/** The parts of a port that its connections need. */
export interface PublishedHost {
  /** As `readVerbatimHead`. */
  read(text: string): VerbatimHead | undefined | false
  /** Starts the call of a request with `begin`. */
  start(head: VerbatimHead, connection: PublishedConnection): void
  /** Called when the response is an error, whose body begins with this latin1 text. */
  refused?(head: VerbatimHead, status: number, body: string): void
  /** Returns the head of a redirect as the caller gets it. */
  moved?(head: VerbatimHead, text: string): string
  /** That call is over; `isAnswered`: by the app. */
  ended(isAnswered: boolean): void
  /** Handles bytes that are not HTTP/1: as HTTP/2, or as a connection of bytes. */
  passBytes(socket: net.Socket, bytes: Buffer): void
  forget(connection: PublishedConnection): void
}

/** Bytes of a refusal to read: frameworks give the reason at its start. */
const TOLD = 4096

/**
 * A caller's connection to a published port while it speaks HTTP/1: one call at a time, each passed on unchanged with its framing.
 * Ambiguous requests pass as bytes, so that the app decides about them.
 */
export class PublishedConnection implements Downstream {
  readonly isVerbatim = true
  /** Protocol of the caller, which a listener in front may have translated. */
  readonly protocol: Protocol
  toHead = false
  /** Set while its request asks for another protocol. */
  tunnel: TunnelStream | undefined
  /** Whether no request has arrived yet. */
  isFresh = true
  /** Whether no further request is accepted. */
  isLeaving = false
  /** App at its other end; '': not looked for yet. */
  caller = ''
  readonly socket: net.Socket
  readonly #host: PublishedHost
  readonly #caller: CallerSocket
  readonly #exchange: Exchange
  readonly #share = new TurnShare()
  /** The request of the current call. */
  #request: VerbatimHead | undefined
  /** Bytes of its body that have not arrived, if the body has a length. */
  #left = 0
  /** The framing of its body, if the body has no length. */
  #chunks: Chunks | undefined
  /** Whether the callee accepts the body. */
  #isSending = false
  /** Whether the response announces the connection's end. */
  #isLast = false
  /** The app has answered the request. */
  #isAnswered = false
  /** The status of a response whose body has not begun, if it is an error; 0 otherwise. */
  #errorStatus = 0
  /** The connection has become a tunnel. */
  #isSwitched = false
  /** Another reader has the connection. */
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

  /** A call is in flight, or waits for its turn of the event loop. */
  get isBusy(): boolean {
    return this.#exchange.isBusy || this.#share.isWaiting
  }

  /** The caller has sent no line: it may wait for the app to speak first, or for its answer to a word. */
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

  /** Starts the next call, unless the rest of a body is still to come: a caller that awaits `100 Continue` may or may not send it. */
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

  /** Leaves the connection to another reader. Returns all bytes since the start of the last read request. */
  leave(): Buffer {
    this.#isLeft = true
    this.#host.forget(this)
    const {text = '', size = 0} = this.#request ?? {}
    return Buffer.concat([Buffer.from(text.slice(0, size), 'latin1'), this.#caller.leave() ?? Buffer.alloc(0)])
  }

  /** The caller disconnected, or is to be disconnected. */
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

  /** Passes on bytes of the body or the tunnel. Drops them after the call. */
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
    // only a socket that is read notices that the caller disconnects
    if (!isTaken) this.socket.pause()
    else if (!caller.isFull) caller.resume()
  }

  /** How many of these bytes belong to the body. */
  #bodyIn(bytes: Buffer): number {
    if (this.#chunks === undefined) {
      const size = Math.min(this.#left, bytes.length)
      this.#left -= size
      return size
    }
    let content = 0
    // after many tiny chunks later ones are moved together, in a copy: the app must get the original bytes
    const read = this.#chunks.mayMove ? Buffer.from(bytes) : bytes
    const stop = this.#chunks.parse(read, 0, read.length, (_, from, to) => {
      content += to - from
      this.#exchange.content(read.subarray(from, to), 'request')
    })
    this.#chunks.mayMove = isMuchWork(bytes.length, content)
    if (this.#chunks.mayMove) letOthersRead(this.socket)
    if (this.#chunks.done) this.#chunks = undefined
    // the app finds the body broken, too, and answers that; nothing after it can be parsed
    if (stop < 0) this.#isLast = true
    return stop < 0 ? bytes.length : stop
  }

  /** Starts received requests one by one while they are answered at once and the turn has room. */
  #next(): void {
    this.#caller.startAll(() => this.#startNext())
  }

  /** Starts the next request if it is time for one; true: its call has already ended. */
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
