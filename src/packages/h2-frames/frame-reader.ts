import {
  ConnectionError,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  FRAME_SIZE_ERROR,
  HAS_PRIORITY,
  HEAD_BYTES,
  HEADERS,
  MAX_PAYLOAD,
  PADDED,
  PROTOCOL_ERROR,
  readUint31
} from './frames.ts'

/** Receives the frames of a connection. Throws a `ConnectionError` if the peer breaks the protocol. */
export interface FrameSink {
  data(stream: number, bytes: string | Buffer, padding: number, isLast: boolean): void
  fields(stream: number, block: string, isLast: boolean): void
  /** Receives any other frame. `at`, `length`: place of its payload in `text`. */
  control(type: number, flags: number, stream: number, text: string, at: number, length: number): void
}

/** Maximum size of the header block of one head. */
const MAX_BLOCK = 1 << 18

/** Splits the bytes of a connection into frames (RFC 9113 §4). */
export class FrameReader {
  readonly #sink: FrameSink
  #held = ''
  /** Number of bytes that the incomplete frame needs. */
  #needed = HEAD_BYTES
  /** Part of a header block that has arrived. */
  #block = ''
  #blockBytes = 0
  #blockStream = 0
  #blockIsLast = false

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** Whether a header block has begun and is incomplete. */
  get isWithinFields(): boolean {
    return this.#blockStream !== 0
  }

  /** Stops reading. Returns the bytes of the incomplete frame, for another reader. */
  leave(): string {
    const held = this.#held
    this.#held = ''
    this.#needed = HEAD_BYTES
    return held
  }

  read(chunk: string): void {
    const text = this.#held === '' ? chunk : this.#held + chunk
    if (text.length < this.#needed) {
      this.#held = text
      return
    }
    let at = 0
    this.#needed = HEAD_BYTES
    while (text.length - at >= HEAD_BYTES) {
      const length = (text.charCodeAt(at) << 16) | (text.charCodeAt(at + 1) << 8) | text.charCodeAt(at + 2)
      if (length > MAX_PAYLOAD) throw new ConnectionError(FRAME_SIZE_ERROR, 'a frame that is too large')
      if (text.length - at < HEAD_BYTES + length) {
        this.#needed = HEAD_BYTES + length
        break
      }
      this.#frame(text, at, length)
      at += HEAD_BYTES + length
    }
    this.#held = at === text.length ? '' : text.slice(at)
  }

  #frame(text: string, head: number, length: number): void {
    const type = text.charCodeAt(head + 3)
    const flags = text.charCodeAt(head + 4)
    const stream = readUint31(text, head + 5)
    if (this.#blockStream !== 0 && (type !== CONTINUATION || stream !== this.#blockStream))
      throw new ConnectionError(PROTOCOL_ERROR, 'fields that are broken off')
    const at = head + HEAD_BYTES
    if (type === DATA) this.#data(text, at, length, flags, stream)
    else if (type === HEADERS) this.#headers(text, at, length, flags, stream)
    else if (type === CONTINUATION) this.#continuation(text.slice(at, at + length), flags)
    else this.#sink.control(type, flags, stream, text, at, length)
  }

  #data(text: string, at: number, length: number, flags: number, stream: number): void {
    const isLast = (flags & END_STREAM) !== 0
    if ((flags & PADDED) === 0) return this.#sink.data(stream, text.slice(at, at + length), 0, isLast)
    const padding = length === 0 ? Infinity : text.charCodeAt(at) + 1
    if (padding > length) throw new ConnectionError(PROTOCOL_ERROR, 'more padding than bytes')
    this.#sink.data(stream, text.slice(at + 1, at + length - padding + 1), padding, isLast)
  }

  #headers(text: string, at: number, length: number, flags: number, stream: number): void {
    if (stream === 0) throw new ConnectionError(PROTOCOL_ERROR, 'fields of no stream')
    let from = at
    let to = at + length
    if ((flags & PADDED) !== 0) {
      to -= length === 0 ? 1 : text.charCodeAt(at)
      from++
    }
    if ((flags & HAS_PRIORITY) !== 0) from += 5
    if (from > to) throw new ConnectionError(PROTOCOL_ERROR, 'more padding than bytes')
    const block = text.slice(from, to)
    const isLast = (flags & END_STREAM) !== 0
    if ((flags & END_HEADERS) !== 0) return this.#sink.fields(stream, block, isLast)
    this.#block = block
    this.#blockStream = stream
    this.#blockIsLast = isLast
  }

  #continuation(piece: string, flags: number): void {
    const stream = this.#blockStream
    if (stream === 0) throw new ConnectionError(PROTOCOL_ERROR, 'fields that continue none')
    this.#block += piece
    // counts each piece with its frame head, so that empty pieces reach the limit, too
    this.#blockBytes += piece.length + HEAD_BYTES
    if (this.#blockBytes > MAX_BLOCK) throw new ConnectionError(ENHANCE_YOUR_CALM, 'fields without end')
    if ((flags & END_HEADERS) === 0) return
    const block = this.#block
    this.#block = ''
    this.#blockStream = 0
    this.#blockBytes = 0
    this.#sink.fields(stream, block, this.#blockIsLast)
  }
}
