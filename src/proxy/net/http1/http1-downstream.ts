import type {IncomingMessage, ServerResponse} from 'node:http'
import type {CallHandler, Downstream, IncomingBody} from '../exchange-parts.ts'
import {Exchange} from '../exchange.ts'
import {reply, type Reply} from '../reply.ts'
import {reasonOf} from '../status.ts'
import {writeCopy} from '../write-copy.ts'
import {abortConnection} from './abort-connection.ts'
import {sendContinue, isAwaitingContinue} from './collect-request.ts'
import {pairsOf} from './header-lines.ts'
import {corkTurn} from './late-text.ts'
import type {ResponseHead} from './response-head.ts'

/** The caller's side of a call whose request node:http has parsed. */
export class Http1Downstream implements Downstream {
  readonly exchange: Exchange
  readonly toHead: boolean
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #body: IncomingBody
  #isReading = false

  constructor(request: IncomingMessage, response: ServerResponse, handler: CallHandler, body: IncomingBody) {
    this.toHead = request.method === 'HEAD'
    this.#request = request
    this.#response = response
    this.#body = body
    this.exchange = new Exchange(this).begin(handler, request.method ?? '', body.length, body.maxBytes)
    const {socket} = request
    const leave = (): void => this.exchange.leave()
    socket.once('end', leave) // the response's `close` follows only some turns later
    response.on('close', leave).on('close', () => socket.off('end', leave))
    if (handler.copy === undefined) return
    // after the response, node:http no longer notifies a request that its caller disconnects, but the copy may still wait for the body
    const abort = (): void => this.exchange.abort()
    socket.once('close', abort)
    request.once('close', () => socket.off('close', abort))
  }

  /** Sends the body in the next tick: node:http parses a body that arrived with the head after the current handler, so that both fit in one write. */
  sendBody(): void {
    if (this.#body.length === 0) return
    process.nextTick(() => {
      try {
        this.#sendFirst()
      } catch (error) {
        this.exchange.crash(error)
      }
    })
  }

  resume(): void {
    this.#request.resume()
  }

  whole(head: ResponseHead, lines: string, body: string): void {
    this.#writeHead(head, lines)
    this.#response.end(body, 'latin1')
  }

  head(head: ResponseHead, lines: string): void {
    const {socket} = this.#response
    if (socket !== null) corkTurn(socket)
    this.#writeHead(head, lines)
    // sends the head by an empty write: flushHeaders() would write it as UTF-8
    this.#response.write('', 'latin1')
    this.#response.on('drain', () => this.exchange.resume())
  }

  body(bytes: Buffer): boolean {
    return writeCopy(this.#response, bytes)
  }

  end(): void {
    this.#response.end()
  }

  cut(): void {
    // HTTP/1.0 has no chunks: without a reset, the end of the connection would look like the end of the response
    if (this.#request.httpVersionMinor === 0) abortConnection(this.#request.socket)
    else this.#response.destroy()
  }

  reset(): void {
    abortConnection(this.#request.socket)
  }

  reply(response: Reply): void {
    reply(this.#request, this.#response, response)
  }

  destroy(): void {
    this.#request.socket.destroy()
  }

  done(): void {
    if (this.#isReading) this.#request.resume()
    else if (this.exchange.isCopying && !isAwaitingContinue(this.#request)) this.#read()
  }

  #writeHead({status}: ResponseHead, lines: string): void {
    const response = this.#response
    response.sendDate = false
    // drops Node's `Connection: keep-alive`, which is redundant in HTTP/1.1; Node's `close` for a caller that waits for `100 Continue` stays
    const isKept = response.shouldKeepAlive && !isAwaitingContinue(this.#request)
    if (isKept && this.#request.httpVersionMinor === 1) response.removeHeader('connection')
    response.writeHead(status, reasonOf(status), pairsOf(lines))
  }

  /** Sends the part of the body that has arrived, which is usually all of it, and reads on. */
  #sendFirst(): void {
    if (!this.exchange.isBusy || this.#isReading) return
    sendContinue(this.#request)
    const first = this.#request.read() as Buffer | null
    if (first !== null) this.#body.onPiece?.(first)
    const isWhole = this.#request.complete && this.#request.readableLength === 0
    const isTaken = this.exchange.sendBody(first ?? undefined, isWhole)
    if (isWhole) return
    this.#read(first?.length)
    if (!isTaken) this.#request.pause()
  }

  #read(had = 0): void {
    this.#isReading = true
    let left = this.#body.length - had
    this.#request
      .on('data', (piece: Buffer) => {
        this.#body.onPiece?.(piece)
        left -= piece.length
        if (!this.exchange.sendBody(piece, left === 0)) this.#request.pause()
      })
      .on('end', () => left === 0 || this.exchange.sendBody(undefined, true))
  }
}
