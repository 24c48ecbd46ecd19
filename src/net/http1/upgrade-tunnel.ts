import type {Duplex} from 'node:stream'
import type {CallHandler} from '../call-handler.ts'
import type {Downstream} from '../downstream.ts'
import {Exchange} from '../exchange.ts'
import {replyText, type Reply} from '../reply.ts'
import {statusLine} from '../status.ts'
import {breakOff} from './break-off.ts'
import type {ResponseHead} from './response-head.ts'

export interface UpgradeTunnelOptions {
  /** The caller's connection; node:http has let go of it. */
  readonly socket: Duplex
  readonly method: string
  /** What came behind the request. */
  readonly early: Buffer
  readonly handler: CallHandler
}

/** Bytes kept of a caller who does not wait for the tunnel. */
const MAX_EARLY = 65_536

/** What asks for the tunnel, and grants it (RFC 6455 §4). */
export const UPGRADE_LINES = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'

/** Answers a request whose connection node:http has let go of, and ends it. */
export const endWith = (socket: Duplex, answer: Reply): void => {
  socket.end(replyText(answer, false, 'Connection: close\r\n'), 'latin1')
}

/**
 * The caller of a call that asks for a websocket: with an answer 101 it becomes two streams of bytes, until one side closes;
 * with any other answer it is a plain one, and the connection ends behind it.
 */
export class UpgradeTunnel implements Downstream {
  readonly exchange: Exchange
  readonly toHead = false
  readonly isTunnel = true
  readonly refusesSwitch = false
  readonly #socket: Duplex
  /** What the caller sent before the tunnel stood. */
  #early: Buffer
  #isOpen = false

  constructor({socket, method, early, handler}: UpgradeTunnelOptions) {
    this.#socket = socket
    this.#early = early
    this.exchange = new Exchange(this).begin(handler, method, 0)
    socket
      .on('close', () => this.exchange.abort())
      .on('drain', () => this.exchange.resume())
      .on('data', (bytes: Buffer) => this.#take(bytes))
      // A caller who leaves before the tunnel stands has left; afterwards he has only finished sending.
      .on('end', () => (this.#isOpen ? this.exchange.finishSending() : socket.destroy()))
  }

  sendBody(): void {
    // there is none: what follows the request's head is the tunnel's
  }

  resume(): void {
    this.#socket.resume()
  }

  whole(head: ResponseHead, fields: string, body: string): void {
    this.head(head, fields)
    this.#socket.end(body, 'latin1')
  }

  head({status}: ResponseHead, fields: string): void {
    this.#isOpen = status === 101
    const more = this.#isOpen ? UPGRADE_LINES : 'Connection: close\r\n'
    this.#socket.write(`${statusLine(status)}${fields}${more}\r\n`, 'latin1')
    if (this.#isOpen) this.#take(this.#early)
    this.#socket.resume()
  }

  body(bytes: Buffer): boolean {
    return this.#socket.write(Buffer.from(bytes))
  }

  end(): void {
    this.#socket.end()
  }

  cut(): void {
    breakOff(this.#socket)
  }

  reply(answer: Reply): void {
    endWith(this.#socket, answer)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  done(): void {
    // nothing is left to read
  }

  /** Bytes of the caller: for the app, or for later. */
  #take(bytes: Buffer): void {
    if (this.#isOpen) {
      if (bytes.length > 0 && !this.exchange.write(bytes)) this.#socket.pause()
      return
    }
    this.#early = Buffer.concat([this.#early, bytes])
    if (this.#early.length > MAX_EARLY) this.#socket.pause()
  }
}
