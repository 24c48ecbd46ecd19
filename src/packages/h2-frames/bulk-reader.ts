import {DATA, END_STREAM, HEAD_BYTES, MAX_PAYLOAD, PADDED, readUint31} from './frames.ts'

export interface BulkSink {
  /** Whether the handler of a stream takes its data as Buffers now. */
  takesBytes(stream: number): boolean
  /** Called with the bytes of a data frame that have arrived. `isLast`: these bytes end the stream. */
  data(stream: number, bytes: Buffer, padding: number, isLast: boolean): void
  /** Called with all other frames as latin1 text, split anywhere. */
  text(text: string): void
}

const NOTHING = Buffer.alloc(0)

/** Reads frames while streams take their data as Buffers: passes slices of the read buffer on, without copies and before the frame is complete. */
export class BulkReader {
  readonly #sink: BulkSink
  /** Start of a frame whose head is incomplete; empty: none. */
  #held: Buffer = NOTHING
  /** Bytes of the current frame that have not arrived. */
  #left = 0
  /** Stream of the current frame; 0: the frame is passed on as text. */
  #stream = 0
  #isLast = false

  /** `begun`: bytes of an incomplete frame that another reader has left. */
  constructor(sink: BulkSink, begun: string) {
    this.#sink = sink
    this.#held = Buffer.from(begun, 'latin1')
  }

  /** Reads bytes, which nothing overwrites later. */
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

  /** Returns the start of an incomplete frame for another reader; undefined: this reader is within a frame and must finish it. */
  leave(): string | undefined {
    return this.#left > 0 && this.#stream > 0 ? undefined : this.#held.toString('latin1')
  }

  /** Begins a frame with this head. Returns the number of its bytes that are handled. */
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
