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

/** Cost for the flood guard of a stream that the peer opens and resets at once, since an app has got the call (CVE-2023-44487). */
const RAPID_RESET = 5
/** Minimum size of a window update, in bytes. A smaller one counts as a useless frame. */
const SMALL_UPDATE = 1024
/** Time in which a peer that broke the rules can read the reason before the connection closes, in ms. */
const LAST_WORD_MS = 1000

/**
 * Base of HTTP/2 connections, of a client or a server: handles streams, windows and settings (RFC 9113), and passes the frames of each stream to
 * its handler as they arrive. A handler refills the window of its stream (`credit`) when it has forwarded the bytes, so that a slow reader slows
 * its sender.
 */
export abstract class FrameConnection implements FrameSink, BulkSink {
  readonly streams = new NumberedList<FrameStream>()
  readonly walker = new FieldWalker()
  readonly sentFields = new SentFields()
  /** Maximum number of calls that the peer accepts at a time (SETTINGS_MAX_CONCURRENT_STREAMS). */
  peerLimit = Infinity
  hasSettings = false
  /** Reason for the end of the connection; '': open, or without a reason. */
  protected why = ''
  /** SETTINGS_INITIAL_WINDOW_SIZE of the peer. */
  protected peerWindow = INITIAL_WINDOW
  protected readonly socket: Socket
  protected readonly writer: FrameWriter
  protected isClosing = false
  readonly #reader = new FrameReader(this)
  readonly #guard = new FloodGuard()
  readonly #warn: (text: string) => void
  /** Streams whose data waits for the window of the connection, and not for their own. */
  readonly #waiting = new Set<FrameStream>()
  #window = INITIAL_WINDOW
  /** Bytes of received data that were not returned to the connection's window yet. */
  #received = 0
  #hasFailed = false
  #hasClosed = false
  /** Number of calls of `look` in a row between which nothing was received. */
  #silence = 0
  #hasRead = true
  /** Reader that replaces `#reader` while streams take Buffers; undefined: none does. */
  #bulk: BulkReader | undefined
  #byteStreams = 0
  /** Number of reads so far. */
  protected reads = 0

  constructor(socket: Socket, warn: (text: string) => void) {
    this.socket = socket
    this.#warn = warn
    this.writer = new FrameWriter(socket, () => this.#pushWaiting())
    socket.on('error', ({message}: Error) => void (this.why ||= message)).on('close', () => this.#closed())
  }

  /** Called when the peer opens a stream. */
  protected abstract opened(id: number, block: string, isLast: boolean): void
  /** Called when this side has sent its part of a stream, and the peer has not. */
  localDone(_stream: FrameStream): void {
    // a client waits for the response; a server overrides this
  }

  /** Whether a stream that is not open was open earlier. */
  protected abstract wasOpen(id: number): boolean
  /** Called once, when the connection has ended. */
  protected abstract ended(): void
  protected abstract freed(): void
  /** Counts a useless frame. Throws a `ConnectionError` for too many. */
  useless(cost = 1): void {
    this.#guard.useless(cost)
  }

  /** Called when the peer accepts no new calls. `last`: number of the last stream that it may have processed. */
  protected abstract goneAway(last: number): void
  protected settled(): void {
    this.hasSettings = true
  }

  listen(): void {
    this.socket.on('data', (bytes: Buffer) => this.read(bytes, bytes.length)).resume()
  }

  /** Reads the first `count` bytes of a buffer. For sockets that read into a buffer of their own, in place of `listen`. */
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

  /** Called when a stream takes its data as Buffers, from the next read on. */
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

  /** Number of data bytes that may be sent now; -1: not even an empty frame, since the peer does not read. */
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

  /** Stops accepting calls, and closes when the open calls have ended. */
  leave(): void {
    if (this.isClosing) return
    this.isClosing = true
    this.send(frames.goAwayFrame(this.lastStream, frames.NO_ERROR))
    this.freed()
  }

  /** Closes the connection now, with its streams. */
  destroy(why: string): void {
    this.why ||= why
    this.socket.destroy()
  }

  /** Continues to read, unless the peer does not read itself. */
  protected readOn(): void {
    if (!this.writer.isStuck) this.socket.resume()
  }

  /** Closes the connection after the last write, since no call is open. */
  protected finish(): void {
    this.writer.flush()
    this.socket.end()
  }

  /** Pings a silent peer, and closes the connection if it does not respond. Called at intervals. */
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
    // set before the handler runs: its response may end the stream, which needs no reset then
    stream.isRemoteDone = isLast
    if (typeof bytes === 'string') stream.handler.data(stream, bytes, isLast)
    else stream.handler.bytes?.(stream, bytes, isLast)
    if (isLast) stream.remoteDone()
  }

  /**
   * Returns received data to the connection's window at once. Data that its handler has not forwarded counts only in the window of its stream, so
   * that a slow reader does not stop other streams.
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

  /** Resets a stream on which the peer has broken the rules. */
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
    // acknowledges before data is sent in the new window: nghttp2 and hyper count data before the acknowledgement in the old one
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
    // counts small updates only: large ones end by themselves, since a window has at most 2³¹ bytes
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

  /** Sends waiting data while the connection's window has room. A stream with more data then waits behind the others. */
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
    // discards further bytes, and closes after a while even if the peer does not read
    this.#hasFailed = true
    this.socket.resume()
    setTimeout(() => this.socket.destroy(), LAST_WORD_MS).unref()
    this.#closed()
  }

  /** Number of the latest stream of the peer that was processed; 0: none. */
  protected get lastStream(): number {
    return 0
  }

  #closed(): void {
    if (this.#hasClosed) return
    this.#hasClosed = true
    const why = this.why || 'EOF'
    // prevents that a waiting call gets this connection
    this.isClosing = true
    for (const stream of this.streams.all()) {
      const lose = (): void => stream.handler.lost(stream, why, stream.openedAtWrite === this.writer.writes)
      stream.close()
      byItself(lose, this.#warn)
    }
    this.ended()
  }
}
