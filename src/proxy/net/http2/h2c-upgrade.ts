import type {IncomingMessage} from 'node:http'
import {Duplex} from 'node:stream'

/** The response that grants the upgrade (RFC 7540 §3.2). */
export const H2C_GRANTED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'

const NOT_FORWARDED = new Set([
  'host',
  'connection',
  'upgrade',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'content-length'
])

/** Whether a request asks for an upgrade to HTTP/2, which is granted only without a body. Other requests are served as usual. */
export const asksForHttp2 = ({headers, httpVersionMinor}: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === 'h2c' &&
  headers['http2-settings'] !== undefined &&
  httpVersionMinor === 1 &&
  headers['transfer-encoding'] === undefined &&
  Number(headers['content-length'] ?? 0) === 0

/** A string as an uncompressed HPACK literal: its length with a 7-bit prefix, then its bytes (RFC 7541 §5.2). */
const textOf = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'latin1')
  const size = [Math.min(bytes.length, 127)]
  for (let rest = bytes.length - 127; rest >= 0 && size[0] === 127; rest = Math.floor(rest / 128)) {
    size.push(rest < 128 ? rest : (rest % 128) + 128)
    if (rest < 128) break
  }
  return Buffer.concat([Buffer.from(size), bytes])
}

const headerOf = (name: string, value: string): Buffer => Buffer.concat([Buffer.from([0]), textOf(name), textOf(value)])

const HEADERS = 1
const END_OF_STREAM_AND_HEAD = 5

/** The request that asked for the upgrade, as the frame that opens stream 1, where its response is sent. */
const frameOf = ({method = '', url = '', rawHeaders, headers}: IncomingMessage): Buffer => {
  const lines = [
    headerOf(':method', method),
    headerOf(':scheme', 'http'),
    headerOf(':path', url),
    headerOf(':authority', headers.host ?? '')
  ]
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    if (!NOT_FORWARDED.has(name)) lines.push(headerOf(name, rawHeaders[at + 1] ?? ''))
  }
  const block = Buffer.concat(lines)
  const head = Buffer.alloc(9)
  head.writeUIntBE(block.length, 0, 3)
  head[3] = HEADERS
  head[4] = END_OF_STREAM_AND_HEAD
  head[8] = 1
  return Buffer.concat([head, block])
}

const PREFACE_SIZE = 24

/**
 * A connection that continues in HTTP/2 after an HTTP/1 request. node:http2 cannot be given that request, so it is inserted
 * into the caller's bytes: after its preface and settings, as if the caller had opened stream 1 itself.
 */
export class UpgradedLink extends Duplex {
  readonly #socket: Duplex
  #frame: Buffer | undefined
  #held: Buffer

  constructor(request: IncomingMessage, socket: Duplex, early: Buffer) {
    super({allowHalfOpen: true})
    this.#socket = socket
    this.#frame = frameOf(request)
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
    const frame = this.#frame
    if (frame === undefined) {
      if (!this.push(bytes)) this.#socket.pause()
      return
    }
    this.#held = Buffer.concat([this.#held, bytes])
    if (this.#held.length < PREFACE_SIZE + 9) return
    const end = PREFACE_SIZE + 9 + this.#held.readUIntBE(PREFACE_SIZE, 3)
    // Settings are small: larger ones are rejected.
    if (end > PREFACE_SIZE + 4096) return void this.destroy()
    if (this.#held.length < end) return
    this.#frame = undefined
    this.push(Buffer.concat([this.#held.subarray(0, end), frame, this.#held.subarray(end)]))
  }
}
