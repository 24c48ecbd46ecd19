import type {Socket} from 'node:net'
import {FrameConnection} from './frame-connection.ts'
import {FrameStream, type StreamHandler} from './frame-stream.ts'
import {ConnectionError, NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM} from './frames.ts'
import {MAX_STREAMS, PREFACE} from './greeting.ts'

/** Number of new streams in one read after which the connection is read again only in the next turn of the event loop. */
const PER_TURN = 16

/** A server's HTTP/2 connection to a client. Its creator has sent the settings. `accept`: returns the handler of new streams. */
export class FrameServer extends FrameConnection {
  readonly #onClose: (connection: FrameServer) => void
  readonly #calls: StreamHandler
  #last = 0
  #preface = ''

  constructor(
    socket: Socket,
    warn: (text: string) => void,
    accept: (connection: FrameServer) => StreamHandler,
    onClose: (connection: FrameServer) => void
  ) {
    super(socket, warn)
    this.#onClose = onClose
    this.#calls = accept(this)
    this.listen()
  }

  override localDone(stream: FrameStream): void {
    // the response is complete, so that the rest of the request is not needed (RFC 9113 §8.1)
    stream.reset(NO_ERROR)
  }

  protected override receive(text: string): void {
    if (this.#preface === PREFACE) return super.receive(text)
    const begun = this.#preface + text.slice(0, PREFACE.length - this.#preface.length)
    if (!PREFACE.startsWith(begun)) return void this.socket.destroy()
    const rest = text.slice(begun.length - this.#preface.length)
    this.#preface = begun
    if (rest !== '') super.receive(rest)
  }

  override read(bytes: Buffer, count: number): void {
    const before = this.#last
    super.read(bytes, count)
    if ((this.#last - before) / 2 <= PER_TURN || this.socket.destroyed) return
    // lets other connections run: libuv would read up to 32 pieces in a row
    this.socket.pause()
    setImmediate(() => this.readOn())
  }

  protected opened(id: number, block: string, isLast: boolean): void {
    if ((id & 1) === 0) throw new ConnectionError(PROTOCOL_ERROR, 'a stream with an even number')
    if (id <= this.#last) {
      // reads fields that follow a reset by this side: they may change the peer's table
      this.walker.skip(block)
      return
    }
    this.#last = id
    const stream = new FrameStream(this, id, this.peerWindow, DISCARDED)
    stream.openedAtRead = this.reads
    this.streams.add(stream)
    if (this.streams.size > MAX_STREAMS || this.isClosing) {
      this.walker.skip(block)
      stream.reset(REFUSED_STREAM)
      return this.useless()
    }
    stream.handler = this.#calls
    stream.isRemoteDone = isLast
    stream.handler.head(stream, block, isLast)
    if (isLast) stream.remoteDone()
  }

  protected wasOpen(id: number): boolean {
    return (id & 1) === 1 && id <= this.#last
  }

  protected override get lastStream(): number {
    return this.#last
  }

  protected goneAway(): void {
    this.isClosing = true
    this.freed()
  }

  protected freed(): void {
    if (this.isClosing && this.streams.size === 0) this.finish()
  }

  protected ended(): void {
    this.#onClose(this)
  }
}

const nothing = (): void => undefined
/** Handler that drops the data of a stream. */
export const DISCARDED: StreamHandler = {head: nothing, data: nothing, sent: nothing, reset: nothing, lost: nothing}
