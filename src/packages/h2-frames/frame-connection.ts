import type {Socket} from 'node:net'
import {bugText} from '../../model/errors.ts'
import {NumberedList} from '../../model/numbered-list.ts'
import {BulkReader, type BulkSink} from './bulk-reader.ts'
import {FieldWalker} from './field-walker.ts'
import {FloodGuard} from './flood-guard.ts'
import {FrameReader, type FrameSink} from './frame-reader.ts'
import {byItself, type Data, type FrameStream} from './frame-stream.ts'
import {FrameWriter} from './frame-writer.ts'
import * as frames from './frames.ts'
import {SentFields} from './sent-fields.ts'
import {ConnectionError, PROTOCOL_ERROR} from './frames.ts'
import {CONNECTION_WINDOW, INITIAL_WINDOW} from './greeting.ts'

/** Cost in pings of a stream that its peer opens and resets at once: an app got it, and had to end it (CVE-2023-44487). */
const RAPID_RESET = 5
/** Minimum bytes of a window update: a smaller one costs as much as a ping, and each data frame that the peer has got allows two. */
const SMALL_UPDATE = 1024
/** Time for a peer that broke the rules to read the reason before it is cut, in ms. */
const LAST_WORD_MS = 1000

/**
 * A connection of HTTP/2 that carries calls of gRPC, as client or as server: streams, windows, settings (RFC 9113). Bytes are passed on
 * as they arrive. A stream's window is refilled when its bytes have been sent elsewhere, so a slow reader slows its sender.
 */
export abstract class FrameConnection implements FrameSink, BulkSink {
  readonly streams = new NumberedList<FrameStream>()
  readonly walker = new FieldWalker()
  readonly sentFields = new SentFields()
  /** Maximum number of calls that the peer accepts at a time. */
  peerLimit = Infinity
  hasSettings = false
  /** Why the connection ended, '' while it has not. */
  protected why = ''
  /** SETTINGS_INITIAL_WINDOW_SIZE of the peer. */
  protected peerWindow = INITIAL_WINDOW
  protected readonly socket: Socket
  protected readonly writer: FrameWriter
  protected isClosing = false
  readonly #reader = new FrameReader(this)
  readonly #guard = new FloodGuard()
  readonly #warn: (text: string) => void
  /** Streams whose data waits for room on the connection, not on their own window. */
  readonly #waiting = new Set<FrameStream>()
  #window = INITIAL_WINDOW
  /** Bytes of data whose window the peer has not got back. */
  #received = 0
  #hasFailed = false
  #hasClosed = false
  /** Number of looks in a row without received data. */
  #silence = 0
  #hasRead = true
  /** Reads in place of `#reader` while streams want bytes. */
  #bulk: BulkReader | undefined
  #byteStreams = 0
  /** Number of received pieces. */
  protected reads = 0

  constructor(socket: Socket, warn: (text: string) => void) {
    this.socket = socket
    this.#warn = warn
    this.writer = new FrameWriter(socket, () => this.#pushWaiting())
    socket.on('error', ({message}: Error) => void (this.why ||= message)).on('close', () => this.#closed())
  }

  /** A stream that the peer opens. */
  protected abstract opened(id: number, block: string, isLast: boolean): void
  /** We have sent all of a stream that the peer has not ended: its answer follows. */
  localDone(_stream: FrameStream): void {
    // see FrameServer
  }

  /** Whether a stream that is not open has ever been open. */
  protected abstract wasOpen(id: number): boolean
  /** The connection has ended. Called once. */
  protected abstract ended(): void
  protected abstract freed(): void
  /** Counts a frame without use. Throws a ConnectionError for too many. */
  useless(cost = 1): void {
    this.#guard.useless(cost)
  }

  /** Called when the peer accepts no new calls. Calls above `last` were not processed. */
  protected abstract goneAway(last: number): void
  protected settled(): void {
    this.hasSettings = true
  }

  listen(): void {
    this.socket.on('data', (bytes: Buffer) => this.read(bytes, bytes.length)).resume()
  }

  /** Reads the first `count` bytes of a socket with its own read buffer, in place of `listen`. */
  read(bytes: Buffer, count: number): void {
    if (this.#hasFailed) return
    if (this.#byteStreams > 0 || this.#bulk !== undefined) this.#readBulk(bytes.subarray(0, count))
    else this.receive(bytes.toString('latin1', 0, count))
  }

  protected receive(text: string): void {
    this.#came()
    try {
      this.#reader.read(text)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Passes the data of a stream on as bytes, from the next read on. */
  wantBytes(): void {
    this.#byteStreams++
  }

  takesBytes(id: number): boolean {
    return this.streams.get(id)?.takesBytes === true && !this.#reader.isWithinFields
  }

  text(text: string): void {
    this.#reader.read(text)
  }

  #readBulk(bytes: Buffer): void {
    const bulk = (this.#bulk ??= new BulkReader(this, this.#reader.leave()))
    const begun = this.#byteStreams === 0 ? bulk.leave() : undefined
    if (begun !== undefined) {
      this.#bulk = undefined
      return this.receive(begun + bytes.toString('latin1'))
    }
    this.#came()
    try {
      bulk.read(bytes)
    } catch (error) {
      this.#fail(error)
    }
  }

  #came(): void {
    this.#hasRead = true
    this.reads++
  }

  send(bytes: string): void {
    this.writer.send(bytes)
  }

  sendFields(bytes: string): void {
    this.writer.send(bytes)
    this.#guard.answered()
  }

  sendData(head: string, bytes: Data): void {
    this.#window -= bytes.length
    if (typeof bytes === 'string') this.writer.send(head + bytes)
    else this.writer.sendBytes(head, bytes)
    this.#guard.answered()
  }

  /** Bytes of data that may be sent now; below 0: not even an empty frame. */
  get room(): number {
    return this.writer.isClogged ? -1 : this.#window
  }

  waitsForRoom(stream: FrameStream): void {
    this.#waiting.add(stream)
  }

  forget(stream: FrameStream): void {
    this.streams.remove(stream)
    if (stream.takesBytes) this.#byteStreams--
    this.#waiting.delete(stream)
    this.freed()
  }

  /** Stops accepting calls; ends when the open ones have ended. */
  leave(): void {
    if (this.isClosing) return
    this.isClosing = true
    this.send(frames.goAwayFrame(this.lastStream, frames.NO_ERROR))
    this.freed()
  }

  /** Ends it now, with its streams. */
  destroy(why: string): void {
    this.why ||= why
    this.socket.destroy()
  }

  /** Reads on, unless the peer makes us keep unread bytes. */
  protected readOn(): void {
    if (!this.writer.isStuck) this.socket.resume()
  }

  /** Ends the connection after everything was sent and no call is open. */
  protected finish(): void {
    this.writer.flush()
    this.socket.end()
  }

  /** Pings a silent peer, and cuts one that does not answer. Must be called at intervals. */
  look(): void {
    if (this.#hasRead) {
      this.#hasRead = false
      this.#silence = 0
    } else if (++this.#silence > 2) this.destroy('the connection is dead: a ping was not answered')
    else this.send(frames.frameHead(8, frames.PING, 0, 0) + '\0'.repeat(8))
  }

  data(id: number, bytes: string | Buffer, padding: number, isLast: boolean): void {
    if (id === 0) throw new ConnectionError(PROTOCOL_ERROR, 'data of no stream')
    const length = bytes.length + padding
    this.#returnWindow(length)
    if (length === 0 && !isLast) this.#guard.useless()
    const stream = this.streams.get(id)
    if (stream === undefined) {
      if (!this.wasOpen(id)) throw new ConnectionError(PROTOCOL_ERROR, 'data on a stream that was never opened')
      return
    }
    if (stream.isRemoteDone || !stream.receive(length)) {
      return this.#break(stream, stream.isRemoteDone ? frames.STREAM_CLOSED : frames.FLOW_CONTROL_ERROR)
    }
    if (padding > 0) stream.credit(padding)
    // set before the handler is called: its answer may end the stream, which then needs no reset
    stream.isRemoteDone = isLast
    if (typeof bytes === 'string') stream.handler.data(stream, bytes, isLast)
    else stream.handler.bytes?.(stream, bytes, isLast)
    if (isLast) stream.remoteDone()
  }

  /**
   * Returns read data to the connection's window at once. Data not yet passed on count only in the window of their stream, so that a slow
   * reader does not stop other streams.
   */
  #returnWindow(bytes: number): void {
    this.#received += bytes
    if (this.#received < CONNECTION_WINDOW / 2) return
    this.send(frames.windowFrame(0, this.#received))
    this.#received = 0
  }

  fields(id: number, block: string, isLast: boolean): void {
    const stream = this.streams.get(id)
    if (stream === undefined) return this.opened(id, block, isLast)
    if (stream.isRemoteDone) {
      stream.skipFields(block)
      return this.#break(stream, frames.STREAM_CLOSED)
    }
    stream.isRemoteDone = isLast
    stream.handler.head(stream, block, isLast)
    if (isLast) stream.remoteDone()
  }

  control(type: number, flags: number, id: number, text: string, at: number, length: number): void {
    switch (type) {
      case frames.RST_STREAM:
        return this.#reset(id, text, at, length)
      case frames.SETTINGS:
        return this.#settings(flags, id, text, at, length)
      case frames.PING:
        return this.#ping(flags, id, text.slice(at, at + length))
      case frames.WINDOW_UPDATE:
        return this.#windowUpdate(id, text, at, length)
      case frames.GOAWAY:
        if (length < 8) throw new ConnectionError(frames.FRAME_SIZE_ERROR, 'a GOAWAY that is too short')
        return this.goneAway(frames.readUint31(text, at))
      case frames.PUSH_PROMISE:
        throw new ConnectionError(PROTOCOL_ERROR, 'a push')
      default: // RFC 9113 §5.5: unknown frames are ignored
        this.#guard.useless()
    }
  }

  /** Ends a stream for a fault of the peer. */
  #break(stream: FrameStream, code: number): void {
    stream.reset(code)
    stream.handler.reset(stream, code)
  }

  #reset(id: number, text: string, at: number, length: number): void {
    if (length !== 4) throw new ConnectionError(frames.FRAME_SIZE_ERROR, 'a reset of another length')
    const stream = this.streams.get(id)
    this.#guard.useless(stream !== undefined && stream.openedAtRead >= this.reads - 1 ? RAPID_RESET : 1)
    if (stream === undefined) {
      if (id === 0 || !this.wasOpen(id)) throw new ConnectionError(PROTOCOL_ERROR, 'a reset of no stream')
      return
    }
    stream.close()
    stream.handler.reset(stream, frames.readUint32(text, at))
  }

  #settings(flags: number, id: number, text: string, at: number, length: number): void {
    if (id !== 0) throw new ConnectionError(PROTOCOL_ERROR, 'settings of a stream')
    this.#guard.useless()
    const isAck = (flags & frames.ACK) !== 0
    if (isAck ? length > 0 : length % 6 !== 0)
      throw new ConnectionError(frames.FRAME_SIZE_ERROR, 'settings of another length')
    if (isAck) return
    // a peer may count earlier data in its former window (nghttp2, hyper)
    this.send(frames.frameHead(0, frames.SETTINGS, frames.ACK, 0))
    for (let from = at; from < at + length; from += 6) {
      const name = text.charCodeAt(from) * 256 + text.charCodeAt(from + 1)
      const value = frames.readUint32(text, from + 2)
      if (name === 1) this.sentFields.limit(value)
      else if (name === 3) this.peerLimit = value
      else if (name === 4) this.#setWindow(value)
    }
    this.settled()
  }

  #setWindow(value: number): void {
    if (value > frames.MAX_WINDOW) throw new ConnectionError(frames.FLOW_CONTROL_ERROR, 'a window that is too large')
    const more = value - this.peerWindow
    this.peerWindow = value
    for (const stream of this.streams.all()) {
      stream.window += more
      if (stream.window > frames.MAX_WINDOW)
        throw new ConnectionError(frames.FLOW_CONTROL_ERROR, 'a window that is too large')
      if (more > 0) stream.push()
    }
  }

  #ping(flags: number, id: number, payload: string): void {
    if (id !== 0) throw new ConnectionError(PROTOCOL_ERROR, 'a ping of a stream')
    if (payload.length !== 8) throw new ConnectionError(frames.FRAME_SIZE_ERROR, 'a ping of another length')
    if ((flags & frames.ACK) !== 0) return
    this.#guard.useless()
    this.writer.sendLate(frames.frameHead(8, frames.PING, frames.ACK, 0) + payload)
  }

  #windowUpdate(id: number, text: string, at: number, length: number): void {
    if (length !== 4) throw new ConnectionError(frames.FRAME_SIZE_ERROR, 'a window of another length')
    const more = frames.readUint31(text, at)
    // only small updates can be repeated without end: a window has at most 2³¹ bytes
    if (more < SMALL_UPDATE) this.#guard.useless()
    if (id === 0) {
      if (more === 0) throw new ConnectionError(PROTOCOL_ERROR, 'a window of nothing')
      if ((this.#window += more) > frames.MAX_WINDOW)
        throw new ConnectionError(frames.FLOW_CONTROL_ERROR, 'a window that is too large')
      return this.#pushWaiting()
    }
    const stream = this.streams.get(id)
    if (stream === undefined) {
      if (!this.wasOpen(id)) throw new ConnectionError(PROTOCOL_ERROR, 'a window of no stream')
      return this.#guard.useless()
    }
    if (more === 0) return this.#break(stream, PROTOCOL_ERROR)
    stream.window += more
    if (stream.window > frames.MAX_WINDOW) return this.#break(stream, frames.FLOW_CONTROL_ERROR)
    stream.push()
  }

  /** Sends as much as there is room for. A stream with more data waits behind the others: with a wide window it would use up all room. */
  #pushWaiting(): void {
    for (const stream of this.#waiting) {
      if (this.room < 1) return
      this.#waiting.delete(stream)
      stream.push()
    }
  }

  #fail(error: unknown): void {
    const isTheirs = error instanceof ConnectionError
    if (!isTheirs) this.#warn(bugText(error))
    this.why ||= isTheirs ? error.message : 'internal error'
    this.writer.send(frames.goAwayFrame(this.lastStream, isTheirs ? error.code : frames.INTERNAL_ERROR))
    this.writer.flush()
    this.socket.destroySoon()
    // further bytes are discarded; a peer that does not read gets no more time
    this.#hasFailed = true
    this.socket.resume()
    setTimeout(() => this.socket.destroy(), LAST_WORD_MS).unref()
    this.#closed()
  }

  /** The latest stream of the peer that was looked at. */
  protected get lastStream(): number {
    return 0
  }

  #closed(): void {
    if (this.#hasClosed) return
    this.#hasClosed = true
    const why = this.why || 'EOF'
    // a call that waits for room must not get it on this connection
    this.isClosing = true
    for (const stream of this.streams.all()) {
      const lose = (): void => stream.handler.lost(stream, why, stream.openedAtWrite === this.writer.writes)
      stream.close()
      byItself(lose, this.#warn)
    }
    this.ended()
  }
}
