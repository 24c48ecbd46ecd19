import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Duplex} from 'node:stream'
import {closeLingering, lingerAtEnd} from '../lingering-close.ts'
import {reasonOf, statusLine} from '../status.ts'

type Serve = (request: IncomingMessage, response: ServerResponse) => void

interface Turn {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly serve: Serve
}

/** Maximum number of pipelined requests: a client that sends more does not read responses, and is disconnected. */
const MAX_QUEUE = 2000

// Errors on either side show as the response's `close`.
const ignore = (): void => undefined

/** The body of a refusal, as Go words it (`serve` of net/http). */
export const refusalBody = (status: number): string =>
  status === 501 ? 'Unsupported transfer encoding' : `${status} ${reasonOf(status)}`

/** A complete response that ends its connection. */
export const refusalText = (status: number): string => {
  const text = refusalBody(status)
  return `${statusLine(status)}Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`
}

/**
 * The requests of one connection, served one at a time and in order: node:http would handle pipelined requests
 * concurrently, and would serve those after a refused one.
 */
export class Connection {
  /** Requests that arrive from now on are ignored. */
  isLast = false
  readonly #socket: Duplex
  readonly #isClosing: () => boolean
  #turns: Turn[] = []
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
    response.on('close', () => {
      this.#finished(turn)
    })
    if (this.#turns.push(turn) === 1) this.#start(turn)
    else if (this.#turns.length > MAX_QUEUE) this.#socket.destroy()
  }

  /** Calls `next` when every response has been sent. */
  whenIdle(next: () => void): void {
    this.isLast = true
    if (this.#turns.length === 0) next()
    else this.#next = next
  }

  /** The received bytes are not a request: sends the error after the pending responses, and closes the connection. */
  breakOff(text: string): void {
    if (this.#lastText !== undefined) return
    this.isLast = true
    this.#lastText = text
    const tail = this.#turns.at(-1)
    if (tail === undefined) return this.#end()
    // node:http no longer tells the calls in flight when their caller disconnects
    if (this.#socket.readableEnded) return void this.#socket.destroy()
    this.#socket.once('end', () => this.#socket.destroy())
    if (tail.request.complete) return
    // The last request itself is invalid, within its body: its callee must not take it for complete.
    if (this.#turns.length > 1) this.#turns.pop()
    else this.#socket.destroy()
  }

  #start({request, response, serve}: Turn): void {
    if (this.#isClosing()) response.shouldKeepAlive = false
    serve(request, response)
  }

  #finished(turn: Turn): void {
    if (this.#turns[0] !== turn) return
    this.#turns.shift()
    const isOver = !turn.response.shouldKeepAlive || this.#socket.destroyed || this.#socket.writableEnded
    if (isOver) {
      // what was read together with the request is parsed still
      this.isLast = true
      this.#turns = []
    }
    const [next] = this.#turns
    if (next !== undefined) return this.#start(next)
    if (!isOver) this.#next?.()
    if (this.#lastText !== undefined || this.#isClosing()) this.#end()
  }

  #end(): void {
    closeLingering(this.#socket, this.#lastText)
  }
}
