import {Duplex} from 'node:stream'
import {INTERNAL_ERROR, PROTOCOL_ERROR, type FrameServer, type FrameStream, type StreamHandler} from '#h2-frames'
import {replyPairs, type Reply} from '../reply.ts'
import {responseFields} from '../grpc/status.ts'

/** The head of a response. `pairs`: names and values alternate. */
export interface StreamResponse {
  readonly status: number
  readonly pairs: readonly string[]
  /** Whether there is no body. */
  readonly isLast: boolean
}

/** Statuses whose responses have no body (RFC 9110 §6.4.1, §15.3.6). */
const BODILESS = new Set([204, 205, 304])

/** An HTTP/2 stream as a Node stream: reads the request's body, and writes the response. Written strings are latin1. Emits `close`, and never `error`. */
export class Http2Stream extends Duplex implements StreamHandler {
  /** Number of open streams on all connections. A reset stream does not count any more, even before its `close`. */
  static open = 0
  readonly connection: FrameServer
  headersSent = false
  /** Encoded trailers of the response; '': none. */
  trailers = ''
  readonly #frames: FrameStream
  /** Remaining length of the body, by its Content-Length; negative: unknown. */
  #left: number
  /** Received bytes for which the sender has no new credit yet. */
  #unread = 0
  /** Bytes of the current write that were not sent yet. */
  #unsent = 0
  #written: (() => void) | undefined

  /** `length`: length of the body; -1: unknown. */
  constructor(connection: FrameServer, frames: FrameStream, length: number) {
    super({decodeStrings: false})
    this.connection = connection
    this.#frames = frames
    this.#left = length
    Http2Stream.open++
  }

  /** Sends the head of the response. Returns whether a body may follow; false also for a stream that has ended. */
  respond({status, pairs, isLast}: StreamResponse): boolean {
    if (this.destroyed || this.headersSent) return false
    this.headersSent = true
    const isWhole = isLast || BODILESS.has(status)
    this.#frames.writeHead(responseFields(status, pairs), isWhole)
    if (isWhole) this.end()
    return !isWhole
  }

  /** Sends a complete response, and discards the rest of the request. */
  reply(response: Reply, toHead: boolean): void {
    const {status, body, bytes = Buffer.from(body)} = response
    const isLast = toHead || bytes.length === 0
    const pairs = ['date', new Date().toUTCString(), ...replyPairs(response)]
    if (this.respond({status, pairs, isLast})) this.end(bytes)
    this.resume()
  }

  /** Resets the stream. */
  close(code = INTERNAL_ERROR): void {
    this.#frames.reset(code)
    this.destroy()
  }

  head(stream: FrameStream, block: string, isLast: boolean): void {
    stream.skipFields(block)
    if (isLast) this.data(stream, '', true)
    else this.close(PROTOCOL_ERROR)
  }

  data(_stream: FrameStream, bytes: string, isLast: boolean): void {
    if (this.destroyed) return this.#frames.credit(bytes.length)
    // the body does not have the length of its head (RFC 9113 §8.1.1)
    if (this.#left >= 0 && ((this.#left -= bytes.length) < 0 || (isLast && this.#left > 0)))
      return this.close(PROTOCOL_ERROR)
    this.#unread += bytes.length
    if (bytes !== '' && this.push(Buffer.from(bytes, 'latin1'))) this.#credit()
    if (isLast) this.push(null)
  }

  sent(_stream: FrameStream, bytes: number): void {
    this.#unsent -= bytes
    if (this.#unsent === 0) this.#taken()
  }

  readonly reset = (): void => void this.destroy()
  readonly lost = this.reset

  override _read(): void {
    this.#credit()
  }

  override _write(bytes: Buffer | string, _encoding: string, done: () => void): void {
    this.#unsent = bytes.length
    this.#written = done
    // frames are text, so that several are written in one write
    if (bytes.length === 0) this.#taken()
    else this.#frames.writeData(typeof bytes === 'string' ? bytes : bytes.toString('latin1'), false)
  }

  override _final(done: () => void): void {
    if (!this.#frames.isLocalDone && this.headersSent) {
      if (this.trailers === '') this.#frames.writeData('', true)
      else this.#frames.writeHead(this.trailers, true)
    }
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    Http2Stream.open--
    this.#frames.reset(INTERNAL_ERROR)
    this.#taken()
    done(error)
  }

  #taken(): void {
    const done = this.#written
    this.#written = undefined
    done?.()
  }

  #credit(): void {
    this.#frames.credit(this.#unread)
    this.#unread = 0
  }
}
