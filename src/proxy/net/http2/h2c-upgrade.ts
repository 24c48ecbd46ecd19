import type {IncomingMessage} from 'node:http'
import {Duplex} from 'node:stream'
import {encodeField, headersFrames} from '#h2-frames'
import {OF_CONNECTION} from '../http1/header-lines.ts'

/** The response that grants the upgrade (RFC 7540 §3.2). */
export const H2C_GRANTED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'

const NOT_FORWARDED = new Set([...OF_CONNECTION, 'host', 'content-length'])

/** The request that asked for the upgrade, as the frames that open stream 1, where its response is sent. */
const framesOf = ({method = '', url = '', rawHeaders, headers}: IncomingMessage): Buffer => {
  let block = encodeField(':method', method) + encodeField(':scheme', 'http')
  block += encodeField(':path', url) + encodeField(':authority', headers.host ?? '')
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    if (!NOT_FORWARDED.has(name)) block += encodeField(name, rawHeaders[at + 1] ?? '')
  }
  return Buffer.from(headersFrames(1, block, true), 'latin1')
}

const PREFACE_SIZE = 24

/**
 * A connection that continues in HTTP/2 after an HTTP/1 request. node:http2 cannot be given that request, so it is inserted
 * into the caller's bytes: after its preface and settings, as if the caller had opened stream 1 itself.
 */
export class UpgradedLink extends Duplex {
  readonly #socket: Duplex
  #frames: Buffer | undefined
  #held: Buffer

  constructor(request: IncomingMessage, socket: Duplex, early: Buffer) {
    super({allowHalfOpen: true})
    this.#socket = socket
    this.#frames = framesOf(request)
    this.#held = early
    socket
      .on('data', (bytes: Buffer) => this.#take(bytes))
      // an HTTP/2 client that ends the connection has abandoned all its streams
      .on('end', () => this.destroy())
      .on('close', () => this.destroy())
    this.#take(Buffer.alloc(0))
    socket.resume()
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(bytes: Buffer, _: string, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes, done)
  }

  override _final(done: () => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }

  #take(bytes: Buffer): void {
    const frames = this.#frames
    if (frames === undefined) {
      if (!this.push(bytes)) this.#socket.pause()
      return
    }
    this.#held = Buffer.concat([this.#held, bytes])
    if (this.#held.length < PREFACE_SIZE + 9) return
    const end = PREFACE_SIZE + 9 + this.#held.readUIntBE(PREFACE_SIZE, 3)
    // Settings are small: larger ones are rejected.
    if (end > PREFACE_SIZE + 4096) return void this.destroy()
    if (this.#held.length < end) return
    this.#frames = undefined
    this.push(Buffer.concat([this.#held.subarray(0, end), frames, this.#held.subarray(end)]))
  }
}
