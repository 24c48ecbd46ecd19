import type {Duplex} from 'node:stream'
import type {CallHandler, Downstream} from '../exchange-parts.ts'
import {writeCopy} from '../write-copy.ts'
import {Exchange} from '../exchange.ts'
import {replyText, type Reply} from '../reply.ts'
import {closeLingering} from '../../../platform/lingering-close.ts'
import {statusLine} from '../status.ts'
import {abortConnection} from './abort-connection.ts'
import type {ResponseHead} from './response-head.ts'

/** Maximum size of bytes received before the tunnel is open. */
const MAX_EARLY = 65_536

/** Header lines that request a WebSocket, and that accept it (RFC 6455 §4). */
export const UPGRADE_LINES = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'

/** Replies on a connection that is detached from node:http, and closes it. */
export const endWith = (socket: Duplex, response: Reply): void => {
  closeLingering(socket, replyText(response, false, 'Connection: close\r\n'))
}

/** The caller's side of a WebSocket request: relays bytes both ways after a response 101, and closes the connection after any other. */
export class UpgradeTunnel implements Downstream {
  readonly exchange: Exchange
  readonly toHead = false
  readonly isTunnel = true
  readonly #socket: Duplex
  /** Bytes that the caller has sent before the tunnel was open. */
  #early: Buffer
  #isOpen = false

  /** `socket`: the caller's connection, detached from node:http. `early`: bytes after the request. */
  constructor(socket: Duplex, method: string, early: Buffer, handler: CallHandler) {
    this.#socket = socket
    this.#early = early
    this.exchange = new Exchange(this).begin(handler, method, 0)
    socket
      .on('close', () => this.exchange.abort())
      .on('drain', () => this.exchange.resume())
      .on('data', (bytes: Buffer) => this.#take(bytes))
      // before the tunnel is open, an end means that the caller has disconnected; afterwards, only that it sends no more
      .on('end', () => (this.#isOpen ? this.exchange.finishSending() : socket.destroy()))
  }

  resume(): void {
    this.#socket.resume()
  }

  whole(head: ResponseHead, lines: string, body: string): void {
    this.head(head, lines)
    closeLingering(this.#socket, body)
  }

  head({status}: ResponseHead, lines: string): void {
    this.#isOpen = status === 101
    const more = this.#isOpen ? UPGRADE_LINES : 'Connection: close\r\n'
    this.#socket.write(`${statusLine(status)}${lines}${more}\r\n`, 'latin1')
    if (this.#isOpen) this.#take(this.#early)
    this.#socket.resume()
  }

  body(bytes: Buffer): boolean {
    return writeCopy(this.#socket, bytes)
  }

  end(): void {
    closeLingering(this.#socket)
  }

  cut(): void {
    abortConnection(this.#socket)
  }

  reset(): void {
    abortConnection(this.#socket)
  }

  reply(response: Reply): void {
    endWith(this.#socket, response)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Sends bytes of the caller to the callee. Keeps them until the tunnel is open. */
  #take(bytes: Buffer): void {
    if (this.#isOpen) {
      if (bytes.length > 0 && !this.exchange.write(bytes)) this.#socket.pause()
      return
    }
    this.#early = Buffer.concat([this.#early, bytes])
    if (this.#early.length > MAX_EARLY) this.#socket.pause()
  }
}
