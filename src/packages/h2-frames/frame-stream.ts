import {bugText} from '../../model/errors.ts'
import type {FieldWalker} from './field-walker.ts'
import {DATA, END_STREAM, frameHead, headersFrames, MAX_PAYLOAD, resetFrame, windowFrame} from './frames.ts'
import {kept} from './field-text.ts'
import {STREAM_WINDOW} from './greeting.ts'
import type {SentFields} from './sent-fields.ts'

/** Number of sent pieces after which they are removed from the queue at once. */
const MAX_SENT = 1000

/** Content of a frame: latin1 text, or bytes that nothing overwrites later, which saves a copy of large data. */
export type Data = string | Uint8Array

const NONE: Data[] = []
const partOf = (data: Data, from: number, to: number): Data =>
  typeof data === 'string' ? data.slice(from, to) : data.subarray(from, to)

/** The methods of a connection that a stream calls (`frame-connection.ts`). */
interface StreamConnection {
  readonly walker: Pick<FieldWalker, 'skip'>
  readonly sentFields: Pick<SentFields, 'encode'>
  wantBytes(): void
  send(bytes: string): void
  sendFields(bytes: string): void
  sendData(head: string, bytes: Data): void
  readonly room: number
  waitsForRoom(stream: FrameStream): void
  useless(): void
  forget(stream: FrameStream): void
  localDone(stream: FrameStream): void
}

/** Handles what the peer sends on a stream, and the end of the stream. */
export interface StreamHandler {
  /** Handles a header block: a head, or trailers. */
  head(stream: FrameStream, block: string, isLast: boolean): void
  data(stream: FrameStream, bytes: string, isLast: boolean): void
  /** Handles data of a stream that takes Buffers, which nothing overwrites later. */
  bytes?(stream: FrameStream, bytes: Buffer, isLast: boolean): void
  /** Called when bytes given to `writeData` have been sent. */
  sent(stream: FrameStream, bytes: number): void
  /** Called when the peer has reset the stream, or this side has, since the peer broke the rules. */
  reset(stream: FrameStream, code: number): void
  /**
   * Called when the connection is lost. `isUnprocessed`: the peer has not processed the stream, as its GOAWAY shows (RFC 9113 §8.7) or since none
   * of its bytes were written.
   */
  lost(stream: FrameStream, why: string, isUnprocessed?: boolean): void
}

/** Runs code of one call, so that its exception does not stop other calls. */
export function byItself(act: () => void, warn: (text: string) => void): void {
  try {
    act()
  } catch (error) {
    warn(bugText(error))
  }
}

/** A stream of a connection: one call on the caller's or the callee's side. */
export class FrameStream {
  readonly id: number
  handler: StreamHandler
  /** Whether the stream has ended: it sends nothing and its handler is not called any more. */
  isOver = false
  /** Whether the peer has sent its last frame. */
  isRemoteDone = false
  /** Whether this side has sent its last frame. */
  isLocalDone = false
  /** Number of the read in which the peer opened the stream; -Infinity: this side has opened it. */
  openedAtRead = -Infinity
  /** Number of writes on the connection before this side opened the stream; -1: the peer has opened it. */
  openedAtWrite = -1
  /** Whether the handler takes the data as Buffers. */
  takesBytes = false
  /** Number of bytes that the peer accepts now. */
  window: number
  /** Bytes that the peer has used of its window. */
  #used = 0
  /** Bytes of these that the handler has forwarded, and that were not returned to the window yet. */
  #taken = 0
  readonly #connection: StreamConnection
  /** Data that waits for the peer's window, from index `#first` on. */
  #waiting = NONE
  #first = 0
  #trailers: string | undefined
  #endsAfterData = false

  constructor(connection: StreamConnection, id: number, window: number, handler: StreamHandler) {
    this.#connection = connection
    this.id = id
    this.window = window
    this.handler = handler
  }

  /** Connection of the stream, for comparison only. */
  get connection(): object {
    return this.#connection
  }

  /** Makes the handler get data as Buffers from the next read on. Not for connections that read into a shared buffer. */
  takeBytes(): void {
    if (this.isOver || this.takesBytes) return
    this.takesBytes = true
    this.#connection.wantBytes()
  }

  skipFields(block: string): void {
    this.#connection.walker.skip(block)
  }

  /** Sends a header block after all data. `repeated`: first fields, which later heads probably repeat; '': none. */
  writeHead(fields: string, isLast: boolean, repeated = ''): void {
    if (this.isOver || this.isLocalDone) return
    if (this.#isWaiting()) {
      this.#trailers = repeated + fields
      return
    }
    const block = this.#connection.sentFields.encode(repeated, fields)
    this.#connection.sendFields(headersFrames(this.id, block, isLast))
    if (isLast) this.#localDone()
  }

  /** Refuses a request by a head. Counts as a useless frame of the peer, so that it throws a `ConnectionError` for too many. */
  refuse(fields: string): void {
    if (this.isOver || this.isLocalDone) return
    const connection = this.#connection
    connection.send(headersFrames(this.id, connection.sentFields.encode('', fields), true))
    this.#localDone()
    connection.useless()
  }

  /** Sends data as far as the peer's window has room. The rest waits. */
  writeData(bytes: Data, isLast: boolean): void {
    if (this.isOver || this.isLocalDone) return
    if (this.#isWaiting() || bytes.length > this.#room) {
      if (this.#waiting === NONE) this.#waiting = []
      this.#waiting.push(typeof bytes === 'string' ? kept(bytes) : bytes)
      this.#endsAfterData = isLast
      return this.push()
    }
    this.#sendData(bytes, isLast)
  }

  /** Drops waiting data. */
  dropWaiting(): void {
    this.#waiting = NONE
    this.#first = 0
    this.#trailers = undefined
  }

  /** Sends waiting data as far as the peer's window has room. */
  push(): void {
    while (this.#isWaiting() && !this.isOver) {
      const bytes = this.#waiting[this.#first] ?? ''
      if (bytes.length > 0 && this.window <= 0) return
      const length = Math.min(bytes.length, this.#room)
      if (length < Math.min(bytes.length, 1)) return this.#connection.waitsForRoom(this)
      const isWhole = length === bytes.length
      this.#waiting[this.#first] = isWhole ? '' : partOf(bytes, length, bytes.length)
      if (isWhole && ++this.#first === MAX_SENT) {
        this.#waiting.splice(0, MAX_SENT)
        this.#first = 0
      }
      this.#sendData(isWhole ? bytes : partOf(bytes, 0, length), this.#endsAfterData && !this.#isWaiting())
    }
    this.#waiting = NONE
    this.#first = 0
    const trailers = this.#trailers
    this.#trailers = undefined
    if (trailers !== undefined) this.writeHead(trailers, true)
  }

  reset(code: number): void {
    if (this.isOver) return
    this.#connection.send(resetFrame(this.id, code))
    this.close()
  }

  /** Returns bytes to the peer's window, after as many were forwarded or discarded. */
  credit(bytes: number): void {
    if (this.isOver) return
    this.#taken += bytes
    if (this.#taken < STREAM_WINDOW / 2) return
    if (!this.isRemoteDone) this.#connection.send(windowFrame(this.id, this.#taken))
    this.#used -= this.#taken
    this.#taken = 0
  }

  /** Counts received bytes. Returns false if the peer has exceeded its window. */
  receive(bytes: number): boolean {
    return (this.#used += bytes) <= STREAM_WINDOW
  }

  /** Called when the peer's last frame was handled. */
  remoteDone(): void {
    if (this.isLocalDone) this.close()
  }

  /** Ends the stream without sending anything. */
  close(): void {
    if (this.isOver) return
    this.isOver = true
    this.#connection.forget(this)
    this.#waiting = NONE
    this.#trailers = undefined
  }

  /** Number of data bytes that one frame may have now; negative: even an empty frame has to wait. */
  get #room(): number {
    // a smaller setting of the peer can make the window negative (RFC 9113 §6.9.2)
    return Math.min(MAX_PAYLOAD, Math.max(0, this.window), this.#connection.room)
  }

  #isWaiting(): boolean {
    return this.#first < this.#waiting.length
  }

  #sendData(bytes: Data, isLast: boolean): void {
    const {length} = bytes
    this.window -= length
    this.#connection.sendData(frameHead(length, DATA, isLast ? END_STREAM : 0, this.id), bytes)
    if (length > 0) this.handler.sent(this, length)
    if (isLast) this.#localDone()
  }

  #localDone(): void {
    this.isLocalDone = true
    if (this.isRemoteDone) this.close()
    else this.#connection.localDone(this)
  }
}
