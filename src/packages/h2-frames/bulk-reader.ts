import {DATA, END_STREAM, HEAD_BYTES, MAX_PAYLOAD, PADDED, readUint31} from './frames.ts'

export interface BulkSink {
  /** Whether the data of a stream are wanted as bytes now. */
  takesBytes(stream: number): boolean
  /** Called with bytes of a data frame, whose rest follows. `isLast`: the stream ends with the frame. */
  data(stream: number, bytes: Buffer, padding: number, isLast: boolean): void
  /** Called with all other frames, as latin1 text, in any pieces. */
  text(text: string): void
}

const NOTHING = Buffer.alloc(0)

/** Reads the data of a stream as slices of the read buffer: nothing is copied, and no byte waits for the end of its frame. */
export class BulkReader {
  readonly #sink: BulkSink
  /** The begin of a frame, while its head is not whole. */
  #held: Buffer = NOTHING
  /** Bytes of the frame still to come, and its stream if they are passed on as bytes, else 0. */
  #left = 0
  #stream = 0
  #isLast = false

  /** `begun`: bytes of an incomplete frame. */
  constructor(sink: BulkSink, begun: string) {
    this.#sink = sink
    this.#held = Buffer.from(begun, 'latin1')
  }

  /** Reads bytes that no longer change. */
  read(piece: Buffer): void {
    const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece])
    this.#held = NOTHING
    for (let at = 0; at < bytes.length;) {
      if (this.#left === 0) {
        if (bytes.length - at < HEAD_BYTES) {
          this.#held = bytes.subarray(at)
          return
        }
        at += this.#begin(bytes.toString('latin1', at, at + HEAD_BYTES))
      }
      const end = Math.min(bytes.length, at + this.#left)
      this.#left -= end - at
      if (this.#stream === 0) this.#sink.text(bytes.toString('latin1', at, end))
      else if (end > at || this.#left === 0)
        this.#sink.data(this.#stream, bytes.subarray(at, end), 0, this.#isLast && this.#left === 0)
      at = end
    }
  }

  /** Returns the start of an incomplete frame for another reader. Undefined within a frame that this reader has begun to pass on. */
  leave(): string | undefined {
    return this.#left > 0 && this.#stream > 0 ? undefined : this.#held.toString('latin1')
  }

  /** Begins a frame with this head. Returns how many bytes of it are done. */
  #begin(head: string): number {
    const length = (head.charCodeAt(0) << 16) | (head.charCodeAt(1) << 8) | head.charCodeAt(2)
    const flags = head.charCodeAt(4)
    const stream = readUint31(head, 5)
    const isPlain = head.charCodeAt(3) === DATA && (flags & PADDED) === 0 && length <= MAX_PAYLOAD
    const isData = isPlain && this.#sink.takesBytes(stream)
    this.#stream = isData ? stream : 0
    this.#isLast = (flags & END_STREAM) !== 0
    this.#left = isData ? length : HEAD_BYTES + length
    return isData ? HEAD_BYTES : 0
  }
}
