import type {Socket} from 'node:net'
import {FrameConnection} from './frame-connection.ts'
import {FrameStream, type StreamHandler} from './frame-stream.ts'
import {ConnectionError, PROTOCOL_ERROR, SETTINGS} from './frames.ts'
import {CLIENT_GREETING} from './greeting.ts'

/** Maximum number of calls on one connection (Dapr: pkg/grpc/manager). */
const MAX_CALLS = 2048
const MAX_STREAM_ID = 0x7f_ff_ff_00

export interface FrameClientOptions {
  readonly warn: (text: string) => void
  /** Called when the callee's settings have arrived, so that the connection accepts calls. */
  readonly ready: (connection: FrameClient) => void
  /** Called when a call has ended, or the connection accepts no new calls. */
  readonly freed: (connection: FrameClient) => void
  readonly closed: (connection: FrameClient) => void
}

/** A client's HTTP/2 connection to a callee. `FrameClients` opens its socket, and calls `read` with received bytes. */
export class FrameClient extends FrameConnection {
  readonly #options: FrameClientOptions
  #next = 1

  constructor(socket: Socket, options: FrameClientOptions) {
    super(socket, options.warn)
    this.#options = options
    this.send(CLIENT_GREETING)
  }

  /** Whether the connection has no room for another call. */
  get isFull(): boolean {
    return this.streams.size >= Math.min(this.peerLimit, MAX_CALLS)
  }

  /** Whether the connection has had a call. */
  get wasUsed(): boolean {
    return this.#next > 1
  }

  /** Whether the connection accepts no new calls, since it ends. */
  get isLeaving(): boolean {
    // the callee may have ended its side already, before the event `close`
    return this.isClosing || this.socket.readableEnded || !this.socket.writable
  }

  /** Reason for the end of the connection, for error messages. */
  get failure(): string {
    return this.why || 'EOF'
  }

  /** Opens a stream with its head. `repeated`: first fields, which later calls probably repeat; '': none. */
  open(handler: StreamHandler, fields: string, isLast: boolean, repeated = ''): FrameStream {
    const stream = new FrameStream(this, this.#next, this.peerWindow, handler)
    stream.openedAtWrite = this.writer.writes
    this.#next += 2
    this.streams.add(stream)
    if (this.#next > MAX_STREAM_ID) this.isClosing = true
    stream.writeHead(fields, isLast, repeated)
    return stream
  }

  protected override receive(text: string): void {
    if (this.reads > 0 || text.length < 4 || text.charCodeAt(3) === SETTINGS) return super.receive(text)
    const isHttp1 = text.startsWith('HTTP/1')
    this.destroy(`error reading server preface: ${isHttp1 ? 'it speaks HTTP/1.1' : 'it does not speak HTTP/2'}`)
  }

  protected override settled(): void {
    if (this.hasSettings) return this.freed()
    super.settled()
    this.#options.ready(this)
  }

  protected opened(id: number, block: string): void {
    if (!this.wasOpen(id)) throw new ConnectionError(PROTOCOL_ERROR, 'fields on a stream that was never opened')
    this.walker.skip(block)
  }

  protected wasOpen(id: number): boolean {
    return (id & 1) === 1 && id < this.#next
  }

  protected goneAway(last: number): void {
    this.isClosing = true
    for (const stream of this.streams.all()) {
      if (stream.id <= last) continue
      stream.close()
      stream.handler.lost(stream, 'the app takes no more calls on this connection (GOAWAY)', true)
    }
    this.freed()
  }

  /** Closes the connection after the last write, without waiting for the callee to end its side. */
  protected override finish(): void {
    // runs once, although each GOAWAY calls it
    if (!this.socket.writable) return
    super.finish()
    this.socket.destroySoon()
  }

  protected freed(): void {
    if (this.isClosing && this.streams.size === 0) this.finish()
    this.#options.freed(this)
  }

  protected ended(): void {
    this.#options.closed(this)
  }
}
