import {bugText} from '../../model/errors.ts'
import type {FieldWalker} from './field-walker.ts'
import {DATA, END_STREAM, frameHead, headersFrames, MAX_PAYLOAD, resetFrame, windowFrame} from './frames.ts'
import {kept} from './field-text.ts'
import {STREAM_WINDOW} from './greeting.ts'
import type {SentFields} from './sent-fields.ts'

/** Number of pieces that were sent after which they are removed from the queue, all at once. */
const MAX_SENT = 1000

/** The content of a frame: latin1 text, or large bytes that no longer change, to save a copy. */
export type Data = string | Uint8Array

const NONE: Data[] = []
const partOf = (data: Data, from: number, to: number): Data =>
  typeof data === 'string' ? data.slice(from, to) : data.subarray(from, to)

/** The parts of a connection that a stream uses (`frame-connection.ts`). */
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

/** Handles the data of a stream, and its end. */
export interface StreamHandler {
  /** Handles a block of fields: a head, or trailers. */
  head(stream: FrameStream, block: string, isLast: boolean): void
  data(stream: FrameStream, bytes: string, isLast: boolean): void
  /** As `data`, for a stream that receives bytes, which no longer change. */
  bytes?(stream: FrameStream, bytes: Buffer, isLast: boolean): void
  /** Called when bytes given to `writeData` have been sent. */
  sent(stream: FrameStream, bytes: number): void
  /** The peer has ended it. */
  reset(stream: FrameStream, code: number): void
  /**
   * Called when the connection is lost. `isUnprocessed`: the peer has not begun to handle the stream, by its own word (RFC 9113, 8.7), or
   * since it got nothing of it.
   */
  lost(stream: FrameStream, why: string, isUnprocessed?: boolean): void
}

/** Runs the work of one call, so that its exception stops no other call. */
export function byItself(act: () => void, warn: (text: string) => void): void {
  try {
    act()
  } catch (error) {
    warn(bugText(error))
  }
}

/** A stream of a connection: the half of a call that its caller or its callee sees. */
export class FrameStream {
  readonly id: number
  handler: StreamHandler
  /** Whether the stream has ended for sending and for reports. */
  isOver = false
  /** The peer has sent all. */
  isRemoteDone = false
  /** Everything that we had to send has been sent. */
  isLocalDone = false
  /** Number of the piece in which the peer opened the stream. */
  openedAtRead = -Infinity
  /** Number of writes on the connection before we opened the stream. */
  openedAtWrite = -1
  /** Whether its data are passed on as bytes, since they are large. */
  takesBytes = false
  /** Number of bytes that the peer accepts. */
  window: number
  /** Used bytes of the peer's window, and of these the bytes that were passed on, which the peer may send again. */
  #used = 0
  #taken = 0
  readonly #connection: StreamConnection
  /** Data that waits for the peer's window, from `#first` on, without sent parts. */
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

  /** Identity of the connection, for comparison. */
  get connection(): object {
    return this.#connection
  }

  /** Passes large data as Buffers from the next read on. Not for connections that read into a buffer of their own. */
  takeBytes(): void {
    if (this.isOver || this.takesBytes) return
    this.takesBytes = true
    this.#connection.wantBytes()
  }

  skipFields(block: string): void {
    this.#connection.walker.skip(block)
  }

  /** Sends a block of fields after all data. `repeated`: its first fields, if later heads are likely to repeat them. */
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

  /** Refuses a request by its head. Unlike an answer, this counts as a useless frame: throws a ConnectionError for too many. */
  refuse(fields: string): void {
    if (this.isOver || this.isLocalDone) return
    const connection = this.#connection
    connection.send(headersFrames(this.id, connection.sentFields.encode('', fields), true))
    this.#localDone()
    connection.useless()
  }

  /** Sends data as far as the peer accepts them. The rest waits. */
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

  /** Drops waiting data: the next write follows the sent data. */
  dropWaiting(): void {
    this.#waiting = NONE
    this.#first = 0
    this.#trailers = undefined
  }

  /** Sends waiting data as far as the peer accepts them. */
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

  /** Lets the peer send this many more bytes, after as many were passed on or discarded. */
  credit(bytes: number): void {
    if (this.isOver) return
    this.#taken += bytes
    if (this.#taken < STREAM_WINDOW / 2) return
    if (!this.isRemoteDone) this.#connection.send(windowFrame(this.id, this.#taken))
    this.#used -= this.#taken
    this.#taken = 0
  }

  /** Counts received bytes. Returns false if the peer exceeded its allowance. */
  receive(bytes: number): boolean {
    return (this.#used += bytes) <= STREAM_WINDOW
  }

  /** All that the peer has sent has been handled. */
  remoteDone(): void {
    if (this.isLocalDone) this.close()
  }

  /** Ends the stream. Sends nothing more on it. */
  close(): void {
    if (this.isOver) return
    this.isOver = true
    this.#connection.forget(this)
    this.#waiting = NONE
    this.#trailers = undefined
  }

  /** Number of data bytes for one frame now; below 0 if even an empty frame must wait. */
  get #room(): number {
    // smaller settings make a window negative (RFC 9113 §6.9.2)
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
