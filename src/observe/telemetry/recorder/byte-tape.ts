/** Kinds of the pieces of a call on the tape. */
export const PIECE = {
  requestHead: 1,
  requestBody: 2,
  responseHead: 3,
  responseBody: 4,
  /** Why the call failed, in words. */
  failure: 5,
  /** The `traceparent` header line that Pillion sent to the callee. */
  trace: 6,
  /** Why the call waited in the queue of its callee. */
  waited: 7
} as const

export type PieceKind = (typeof PIECE)[keyof typeof PIECE]

/** A piece that is still on the tape. Its bytes are overwritten later: copy them to keep them. */
export interface TapePiece {
  readonly kind: PieceKind
  readonly bytes: Buffer
}

export const sizeOfPieces = (pieces: readonly TapePiece[]): number =>
  pieces.reduce((sum, {bytes}) => sum + bytes.length, 0)

/** Header of each piece: number of its call, kind, length, the next piece of the call, and the split. */
const HEADER_BYTES = 16
const NONE = 0xff_ff_ff_ff
/** Alignment of pieces, in bytes. */
const UNIT = 8

/** Maximum number of bytes that a loop in JavaScript copies faster than Node's native functions. */
const SHORT = 32

/** A buffer with a method of Node that Node's types lack. */
interface Latin1Buffer extends Buffer {
  latin1Write(text: string, offset: number, length: number): number
}

const aligned = (bytes: number): number => (bytes + UNIT - 1) & -UNIT

/**
 * The latest bytes of all calls in one ring buffer: a piece costs one copy and no allocation. The pieces of a call are linked. Positions
 * grow forever; a piece exists until the tape has overwritten it.
 */
export class ByteTape {
  readonly #bytes: Latin1Buffer
  readonly #words: Uint32Array
  readonly size: number
  #end = 0
  /** Index in the buffer of the position `#end`, kept since positions outgrow the integers that a processor divides quickly. */
  #next = 0
  /** The start of the latest piece's bytes in the buffer. */
  #start = 0

  /** `size`: a multiple of 8. */
  constructor(size: number) {
    this.size = size
    // the system assigns memory at the first write of a page: a short tape costs only what was written
    this.#bytes = Buffer.allocUnsafeSlow(size) as Latin1Buffer
    this.#words = new Uint32Array(this.#bytes.buffer)
  }

  /** Position of the next piece: the bytes so far, headers and gaps included. */
  get end(): number {
    return this.#end
  }

  /** Whether the piece at this position still exists. */
  has(position: number): boolean {
    return position >= 0 && position >= this.#end - this.size
  }

  /** Adds the first `length` characters of a latin1 text as a piece. Returns its position. `previous` is the call's piece before, or -1. */
  addText(call: number, kind: PieceKind, text: string, length: number, previous: number): number {
    const at = this.#begin(call, kind, length, previous)
    const start = this.#start
    if (length > SHORT) this.#bytes.latin1Write(text, start, length)
    else for (let index = 0; index < length; index++) this.#bytes[start + index] = text.charCodeAt(index)
    return at
  }

  /** Adds a range of a buffer, as `addText` adds a text. */
  addBytes(
    call: number,
    kind: PieceKind,
    bytes: Buffer,
    [from, to]: readonly [number, number],
    previous: number
  ): number {
    const at = this.#begin(call, kind, to - from, previous)
    const start = this.#start
    if (to - from > SHORT) bytes.copy(this.#bytes, start, from, to)
    else for (let index = from; index < to; index++) this.#bytes[start + index - from] = bytes[index] ?? 0
    return at
  }

  /** Marks the piece at this position as a response head of this size with the body behind it. */
  split(position: number, headSize: number): void {
    if (this.has(position)) this.#words[(position % this.size) / 4 + 3] = headSize
  }

  /** Returns the existing pieces of a call from a position on. */
  pieces(call: number, first: number): readonly TapePiece[] {
    const pieces: TapePiece[] = []
    for (let at = first; this.has(at);) {
      const start = at % this.size
      const word = start / 4
      if (this.#words[word] !== call) break
      const about = this.#words[word + 1] ?? 0
      const from = start + HEADER_BYTES
      const kind = (about >>> 24) as PieceKind
      const bytes = this.#bytes.subarray(from, from + (about & 0xff_ff_ff))
      const headSize = this.#words[word + 3] ?? 0
      if (headSize === 0) pieces.push({kind, bytes})
      else {
        pieces.push({kind, bytes: bytes.subarray(0, headSize)})
        if (bytes.length > headSize) pieces.push({kind: PIECE.responseBody, bytes: bytes.subarray(headSize)})
      }
      const next = this.#words[word + 2] ?? NONE
      if (next === NONE) break
      const ahead = (next * UNIT - start + this.size) % this.size
      at += ahead
    }
    return pieces
  }

  /** Writes the header of a piece, and links the previous piece to it. */
  #begin(call: number, kind: PieceKind, length: number, previous: number): number {
    const whole = HEADER_BYTES + aligned(length)
    const left = this.size - this.#next
    if (whole > left) {
      // a piece does not wrap around: the rest of the buffer becomes a gap
      this.#end += left
      this.#next = 0
    }
    const at = this.#end
    const start = this.#next
    this.#end += whole
    this.#next += whole
    this.#start = start + HEADER_BYTES
    const words = this.#words
    const word = start >>> 2
    words[word] = call
    words[word + 1] = kind * 0x1_00_00_00 + length
    words[word + 2] = NONE
    words[word + 3] = 0
    if (this.has(previous)) words[(previous % this.size) / 4 + 2] = start / UNIT
    return at
  }
}
