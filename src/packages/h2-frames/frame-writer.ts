import type {Duplex} from 'node:stream'

/** Unread bytes at which a peer gets no more data until it reads. With twice as many unread bytes it is not read from, either. */
const CLOG_BYTES = 1 << 20

/** More is written at once: V8 frees longer texts late. */
const MAX_TEXT_BYTES = 1 << 16

/** How long acknowledgements wait for other frames, to be sent with them. */
const LATE_MS = 5

const dirty: FrameWriter[] = []
const late: FrameWriter[] = []

/** Writes once for each connection in a turn of the event loop. */
const flushAll = (): void => {
  for (const writer of dirty.splice(0)) writer.flush()
}

const flushLate = (): void => {
  for (const writer of late.splice(0)) writer.flush()
}

/** The output of one connection, collected and written once for each event. */
export class FrameWriter {
  /** Whether the peer does not read, and so gets no more data. Such a peer may wait to be read itself (node:http2, another run of ours). */
  isClogged = false
  /** The peer is not read: its frames would make us keep more and more. */
  isStuck = false
  writes = 0
  #most = 0
  readonly #socket: Duplex
  /** The output before `#out`: bytes that are not copied, and the frames between them. */
  #parts: Uint8Array[] = []
  #out = ''
  #late = ''
  #isDirty = false

  /** `drained` is called when the peer has read full buffers. */
  constructor(socket: Duplex, drained: () => void) {
    this.#socket = socket
    socket.on('drain', () => {
      if (!this.isClogged) return
      this.isClogged = this.isStuck = false
      socket.resume()
      drained()
    })
  }

  /** Sends a frame: its head, and its payload, which must not change any more. */
  sendBytes(head: string, payload: Uint8Array): void {
    this.#parts.push(Buffer.from(this.#out + head, 'latin1'), payload)
    this.#out = ''
    this.send('')
  }

  send(frames: string): void {
    this.#out += frames
    if (this.#out.length > MAX_TEXT_BYTES) return this.flush()
    if (this.#isDirty) return
    this.#isDirty = true
    if (dirty.push(this) === 1) setImmediate(flushAll)
  }

  /**
   * Sends frames that the peer does not wait for together with the next ones, or soon. grpc-go measures the line by a ping with each
   * answer; a write for each ping, which wakes up the peer, would cost a third of a call.
   */
  sendLate(frames: string): void {
    if (this.#late === '' && late.push(this) === 1) setTimeout(flushLate, LATE_MS)
    this.#late += frames
  }

  flush(): void {
    const out = this.#late + this.#out
    const parts = this.#parts
    this.#isDirty = false
    this.#late = ''
    this.#out = ''
    if (parts.length > 0) this.#parts = []
    if ((out === '' && parts.length === 0) || !this.#socket.writable) return
    this.writes++
    const isTaken = parts.length > 0 ? this.#writeAll(parts, out) : this.#socket.write(out, 'latin1')
    const {writableLength} = this.#socket
    if (isTaken || writableLength <= CLOG_BYTES) return
    if (!this.isClogged) this.#most = writableLength + CLOG_BYTES
    this.isClogged = true
    if (writableLength <= this.#most) return
    this.isStuck = true
    this.#socket.pause()
  }

  /** All in one write. */
  #writeAll(parts: readonly Uint8Array[], rest: string): boolean {
    this.#socket.cork()
    let isTaken = true
    for (const part of parts) isTaken = this.#socket.write(part)
    if (rest !== '') isTaken = this.#socket.write(Buffer.from(rest, 'latin1'))
    this.#socket.uncork()
    return isTaken
  }
}
