import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Duplex} from 'node:stream'
import {reasonOf, statusLine} from '../status.ts'

type Serve = (request: IncomingMessage, response: ServerResponse) => void

interface Turn {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly serve: Serve
}

/** Somebody who sends more requests ahead than this reads no answers, and is cut. */
const MAX_QUEUE = 2000

// What breaks on either side shows as the response's `close`.
const ignore = (): void => undefined

/** What a refusal says, in Go's words (`serve` of net/http). */
export const refusalBody = (status: number): string =>
  status === 501 ? 'Unsupported transfer encoding' : `${status.toString()} ${reasonOf(status)}`

/** A whole answer of ours on a line that ends with it. */
export const refusalText = (status: number): string => {
  const text = refusalBody(status)
  return `${statusLine(status)}Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length.toString()}\r\nConnection: close\r\n\r\n${text}`
}

/**
 * The requests of one connection, served one at a time and in order: node:http would run those sent ahead side by side,
 * and would serve what stands behind a refused one.
 */
export class Connection {
  /** Nothing that comes from now on is served. */
  isLast = false
  readonly #socket: Duplex
  readonly #isClosing: () => boolean
  #turns: Turn[] = []
  #lastText: string | undefined
  #next: (() => void) | undefined

  constructor(socket: Duplex, isClosing: () => boolean) {
    this.#socket = socket
    this.#isClosing = isClosing
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

  /** Runs this when every answer is out. */
  whenQuiet(next: () => void): void {
    this.isLast = true
    if (this.#turns.length === 0) next()
    else this.#next = next
  }

  /** The bytes that came are no request: says so after the answers under way, and ends the line. */
  breakOff(text: string): void {
    if (this.#lastText !== undefined) return
    this.isLast = true
    this.#lastText = text
    const tail = this.#turns.at(-1)
    if (tail === undefined) return this.#end()
    // node:http does not tell the calls under way any more when their caller leaves
    if (this.#socket.readableEnded) return void this.#socket.destroy()
    this.#socket.once('end', () => this.#socket.destroy())
    if (tail.request.complete) return
    // The last request itself is broken, within its body: its callee must not take it for whole.
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
    if (!turn.response.shouldKeepAlive || this.#socket.destroyed) this.#turns = []
    const [next] = this.#turns
    if (next !== undefined) return this.#start(next)
    if (!this.#socket.destroyed) this.#next?.()
    if (this.#lastText !== undefined || this.#isClosing()) this.#end()
  }

  #end(): void {
    const socket = this.#socket
    socket.end(this.#lastText ?? '', 'latin1', () => socket.destroy())
  }
}
