import type {Duplex} from 'node:stream'

/** Size of unread output at which a peer gets no more data. At twice that size, its frames are not read either. */
const CLOG_BYTES = 1 << 20

/** Size of collected output that is written at once, since V8 frees long texts late. */
const MAX_TEXT_BYTES = 1 << 16

/** Maximum wait of acknowledgements for other frames, to share a write, in ms. */
const LATE_MS = 5

const dirty: FrameWriter[] = []
const late: FrameWriter[] = []

/** Writes the output of all connections, once for each in a turn of the event loop. */
const flushAll = (): void => {
  for (const writer of dirty.splice(0)) writer.flush()
}

const flushLate = (): void => {
  for (const writer of late.splice(0)) writer.flush()
}

/** The output of one connection: collects frames, and writes them once per turn of the event loop. */
export class FrameWriter {
  /** Whether the peer does not read, and so gets no more data. Such a peer may wait until its own frames are read (node:http2, Pillion). */
  isClogged = false
  /** Whether the peer's frames are not read either: the responses to them would take more and more memory. */
  isStuck = false
  writes = 0
  #most = 0
  readonly #socket: Duplex
  /** Output before `#out`: uncopied bytes, and the frames between them. */
  #parts: Uint8Array[] = []
  #out = ''
  #late = ''
  #isDirty = false

  /** `drained`: called when a peer that did not read has read again. */
  constructor(socket: Duplex, drained: () => void) {
    this.#socket = socket
    socket.on('drain', () => {
      if (!this.isClogged) return
      this.isClogged = this.isStuck = false
      socket.resume()
      drained()
    })
  }

  /** Sends a frame. `payload`: bytes that nothing overwrites later. */
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
   * Sends frames for which the peer does not wait, together with the next frames or after `LATE_MS`. grpc-go sends a ping with each response to
   * measure the connection: a separate write for its acknowledgement, which wakes the peer, would cost a third of a call.
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

  /** Writes all parts in one system call. */
  #writeAll(parts: readonly Uint8Array[], rest: string): boolean {
    this.#socket.cork()
    let isTaken = true
    for (const part of parts) isTaken = this.#socket.write(part)
    if (rest !== '') isTaken = this.#socket.write(Buffer.from(rest, 'latin1'))
    this.#socket.uncork()
    return isTaken
  }
}
