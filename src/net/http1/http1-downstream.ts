import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Socket} from 'node:net'
import type {CallHandler} from '../call-handler.ts'
import type {Downstream} from '../downstream.ts'
import {Exchange} from '../exchange.ts'
import {reply, type Reply} from '../reply.ts'
import {reasonOf} from '../status.ts'
import {breakOff} from './break-off.ts'
import {askForBody, isAwaitingContinue} from './expect-continue.ts'
import {pairsOf} from './header-lines.ts'
import type {ResponseHead} from './response-head.ts'

export interface Http1DownstreamOptions {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly handler: CallHandler
  /** Length of the request's body in bytes, 0 = none, -1 = it comes in chunks. */
  readonly length: number
  /** The most bytes of it that are taken, 0 = any number. */
  readonly maxBodyBytes: number
}

const uncork = (socket: Socket): void => socket.uncork()

/** The caller of a call that node:http has read. */
export class Http1Downstream implements Downstream {
  readonly exchange: Exchange
  readonly toHead: boolean
  readonly isTunnel = false
  readonly refusesSwitch = false
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #length: number
  #isReading = false

  constructor({request, response, handler, length, maxBodyBytes}: Http1DownstreamOptions) {
    this.toHead = request.method === 'HEAD'
    this.#request = request
    this.#response = response
    this.#length = length
    this.exchange = new Exchange(this).begin(handler, request.method ?? '', length, maxBodyBytes)
    response.on('close', () => this.exchange.leave())
    if (handler.copy === undefined) return
    // node:http tells a request nothing more of its caller once it is answered
    const {socket} = request
    const abort = (): void => this.exchange.abort()
    socket.once('close', abort)
    request.once('close', () => socket.off('close', abort))
  }

  /** The body that came with the head is parsed after the handler that sees the head: waits for it, so that both are one write. */
  sendBody(): void {
    if (this.#length !== 0) process.nextTick(() => this.#sendFirstSafely())
  }

  resume(): void {
    this.#request.resume()
  }

  whole(head: ResponseHead, fields: string, body: string): void {
    this.#writeHead(head, fields)
    this.#response.end(body, 'latin1')
  }

  head(head: ResponseHead, fields: string): void {
    const {socket} = this.#response
    if (socket !== null) {
      socket.cork()
      process.nextTick(uncork, socket)
    }
    this.#writeHead(head, fields)
    // Not flushHeaders(): that writes the head as UTF-8.
    this.#response.write('', 'latin1')
    this.#response.on('drain', () => this.exchange.resume())
  }

  body(bytes: Buffer): boolean {
    return this.#response.write(Buffer.from(bytes))
  }

  end(): void {
    this.#response.end()
  }

  cut(): void {
    // Without chunks the end of the connection would be that of the answer.
    if (this.#request.httpVersionMinor === 0) breakOff(this.#request.socket)
    else this.#response.destroy()
  }

  reply(answer: Reply): void {
    reply(this.#request, this.#response, answer)
  }

  destroy(): void {
    this.#request.socket.destroy()
  }

  done(): void {
    if (this.#isReading) this.#request.resume()
    else if (this.exchange.isCopying && !isAwaitingContinue(this.#request)) this.#read()
  }

  #writeHead({status}: ResponseHead, fields: string): void {
    const response = this.#response
    response.sendDate = false
    // Of HTTP/1.1 without `close`, node's own Connection field would say nothing.
    if (response.shouldKeepAlive && this.#request.httpVersionMinor === 1) response.removeHeader('connection')
    response.writeHead(status, reasonOf(status), pairsOf(fields))
  }

  #sendFirstSafely(): void {
    try {
      this.#sendFirst()
    } catch (error) {
      this.exchange.crash(error)
    }
  }

  /** Mostly all of the body has come by now. */
  #sendFirst(): void {
    if (!this.exchange.isBusy || this.#isReading) return
    if (isAwaitingContinue(this.#request)) askForBody(this.#request, this.#response)
    const first = this.#request.read() as Buffer | null
    const isWhole = this.#request.complete && this.#request.readableLength === 0
    const isTaken = this.exchange.sendBody(first ?? undefined, isWhole)
    if (isWhole) return
    this.#read()
    if (!isTaken) this.#request.pause()
  }

  #read(): void {
    this.#isReading = true
    this.#request
      .on('data', (piece: Buffer) => {
        if (!this.exchange.sendBody(piece, false)) this.#request.pause()
      })
      .on('end', () => this.exchange.sendBody(undefined, true))
  }
}
