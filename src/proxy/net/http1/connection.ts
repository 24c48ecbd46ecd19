import type {IncomingMessage, Server, ServerResponse} from 'node:http'
import type {Duplex} from 'node:stream'
import {closeLingering, lingerAtEnd} from '../../../platform/lingering-close.ts'
import {reasonOf, statusLine} from '../status.ts'
import {dropReads, holdReads} from '../../../platform/shared-reads.ts'
import {PER_TURN, TurnShare} from '../../../platform/own-turn.ts'

type Serve = (request: IncomingMessage, response: ServerResponse) => void

interface Turn {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly serve: Serve
}

// errors of request and response need no handling: the response emits `close` after each
const ignore = (): void => undefined

/** Returns the body of a refusal, as Go words it (`serve` of net/http). */
export const refusalBody = (status: number): string =>
  status === 501 ? 'Unsupported transfer encoding' : `${status} ${reasonOf(status)}`

/** Returns a complete refusal that closes its connection. */
export const refusalText = (status: number): string => {
  const text = refusalBody(status)
  return `${statusLine(status)}Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`
}

/**
 * Serves the requests of one node:http connection one at a time and in order. (node:http alone would handle pipelined requests concurrently,
 * and serve requests after a refused one.) Pauses reading while more requests wait than one turn of the event loop serves.
 */
export class Connection {
  /** Whether later requests on the connection are ignored. */
  isLast = false
  readonly #socket: Duplex
  readonly #isClosing: () => boolean
  readonly #share = new TurnShare()
  #turns: Turn[] = []
  #readOn: (() => boolean) | undefined
  #lastText: string | undefined
  #next: (() => void) | undefined

  constructor(socket: Duplex, isClosing: () => boolean) {
    this.#socket = socket
    this.#isClosing = isClosing
    lingerAtEnd(socket)
  }

  add(request: IncomingMessage, response: ServerResponse, serve: Serve): void {
    if (this.isLast) return
    const turn = {request, response, serve}
    request.on('error', ignore)
    response.on('error', ignore)
    response.on('close', () => this.#finished(turn))
    if (this.#turns.push(turn) === 1) this.#startNext()
    else if (this.#turns.length > PER_TURN) this.#readOn = holdReads(this.#socket) ?? this.#readOn
  }

  /** Ignores later requests, and stops parsing, also of bytes that have arrived. */
  endRequests(): void {
    this.isLast = true
    dropReads(this.#socket)
  }

  /** Calls `next` when every response has been sent, and ignores later requests: the connection changes its protocol. */
  whenIdle(next: () => void): void {
    this.isLast = true
    if (this.#turns.length === 0) next()
    else this.#next = next
  }

  /** Called when the listener closes. Lets the last response announce the end, so that the client sends no more requests. */
  endSoon(): void {
    const last = this.#turns.at(-1)
    if (last?.response.headersSent === false) last.response.shouldKeepAlive = false
  }

  /** Ends the connection after invalid bytes: sends `text` after the pending responses, and closes. `text`: '': closes only. */
  breakOff(text: string): void {
    if (this.#lastText !== undefined) return
    this.isLast = true
    this.#lastText = text
    const tail = this.#turns.at(-1)
    if (tail === undefined) return this.#end()
    // watches for a disconnect here, since node:http no longer notifies the calls in flight of it
    if (this.#socket.readableEnded) return void this.#socket.destroy()
    this.#socket.once('end', () => this.#socket.destroy())
    if (tail.request.complete) return
    // the invalid bytes are in the body of the last request: drops that request, so that its callee does not get a cut body as complete
    if (this.#turns.length > 1) this.#turns.pop()
    else this.#socket.destroy()
  }

  #startNext(): void {
    const [turn] = this.#turns
    if (turn === undefined || !this.#share.take(() => this.#startNext())) return
    const {request, response, serve} = turn
    if (this.#isClosing()) response.shouldKeepAlive = false
    serve(request, response)
  }

  #finished(turn: Turn): void {
    if (this.#turns[0] !== turn) return
    this.#turns.shift()
    const isOver = !turn.response.shouldKeepAlive || this.#socket.destroyed || this.#socket.writableEnded
    if (isOver) {
      this.endRequests()
      this.#turns = []
    }
    if (this.#turns.length <= PER_TURN) {
      this.#readOn?.()
      this.#readOn = undefined
    }
    if (this.#turns.length > 0) return this.#startNext()
    if (!isOver) this.#next?.()
    if (this.#lastText !== undefined || this.#isClosing()) this.#end()
  }

  #end(): void {
    closeLingering(this.#socket, this.#lastText)
  }
}

/** Makes a node:http server serve each of its connections by a `Connection`. */
export function serveInOrder(server: Server, serve: Serve): void {
  const connections = new WeakMap<Duplex, Connection>()
  server
    .on('connection', (socket: Duplex) => connections.set(socket, new Connection(socket, () => false)))
    .on('request', (request: IncomingMessage, response: ServerResponse) =>
      connections.get(request.socket)?.add(request, response, serve)
    )
}
