import {isOf, TOKEN, VALUE} from './header-kinds.ts'

/** Receives bytes of the body, without framing: `from` to `to` of `bytes`. */
export type TakeChunk = (bytes: Buffer, from: number, to: number) => void

const SIZE = 0
const SIZE_BLANK = 10
const EXTENSION = 1
const SIZE_END = 2
const BODY = 3
const BODY_END = 4
const BODY_END_LF = 5
const TRAILER_START = 6
const TRAILER = 7
const TRAILER_END = 8
const END = 9
const NONE = -1

/** State after the byte that follows a chunk's size. */
const AFTER_SIZE: Readonly<Record<number, number | undefined>> = {
  9: SIZE_BLANK,
  13: SIZE_END,
  32: SIZE_BLANK,
  59: EXTENSION
}

const hexOf = (byte: number): number => {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** Maximum size of chunks that are joined with the chunk before. */
const SMALL = 512

/** Returns the size of a complete chunk with a one-digit size at an index; 0: another chunk. */
const tinyAt = (bytes: Buffer, at: number, end: number): number => {
  if (at + 5 >= end || bytes[at + 1] !== 13 || bytes[at + 2] !== 10) return 0
  const size = hexOf(bytes[at] ?? 0)
  const after = at + 3 + size
  return size > 0 && after + 1 < end && bytes[after] === 13 && bytes[after + 1] === 10 ? size : 0
}

/** Moves bytes to a lower index. Returns the index after them. */
const moved = (bytes: Buffer, from: number, size: number, to: number): number => {
  if (size > 32) bytes.copyWithin(to, from, from + size)
  else for (let i = 0; i < size; i++) bytes[to + i] = bytes[from + i] ?? 0
  return to + size
}

/**
 * Parser of chunked framing (RFC 9112 §7.1), whose input may be split anywhere. As in Go (chunkedReader of net/http), only CR LF ends a line,
 * and a size has up to sixteen hexadecimal digits and optional trailing whitespace. Skips extensions and trailers.
 */
export class Chunks {
  /** Whether the last byte of the message has been parsed. */
  done = false
  #step = SIZE
  #left = 0
  #count = 0
  /** Whether `parse` may move bytes within its buffer; false where the buffer itself is sent on with its framing. */
  mayMove: boolean

  constructor(mayMove = true) {
    this.mayMove = mayMove
  }

  /**
   * Parses bytes up to `end`. Returns the index after the last parsed byte; -1: invalid framing. If `mayMove`, joins the contents of small chunks
   * within `bytes`, so that `take` gets one piece instead of thousands.
   */
  parse(bytes: Buffer, start: number, end: number, take: TakeChunk): number {
    let stop = end
    // `from` to `to`: content that `take` has not received yet
    let from = start
    let to = start
    for (let at = start; at < stop; at++) {
      if (this.mayMove && to > from && this.#step === SIZE && this.#count === 0) {
        // fast way for complete chunks with a one-digit size, which may follow each other in thousands
        for (let size = tinyAt(bytes, at, end); size > 0; size = tinyAt(bytes, at, end)) {
          to = moved(bytes, at + 3, size, to)
          at += size + 5
        }
        if (at >= end) break
      }
      if (this.#step === BODY) {
        const size = Math.min(this.#left, end - at)
        if (this.mayMove && to > from && size <= SMALL) to = moved(bytes, at, size, to)
        else {
          if (to > from) take(bytes, from, to)
          from = at
          to = at + size
        }
        this.#left -= size
        at += size - 1
        if (this.#left === 0) this.#step = BODY_END
      } else if (!this.#follow(bytes[at] ?? 0)) {
        this.#step = NONE
        stop = -1
      } else if (this.done) stop = at + 1
    }
    if (to > from) take(bytes, from, to)
    return stop
  }

  /** Reads a byte of the framing. Returns false if it is not allowed here. */
  #follow(byte: number): boolean {
    switch (this.#step) {
      case SIZE:
        return this.#size(byte)
      case SIZE_BLANK:
        return byte === 13 ? this.#to(SIZE_END) : (byte === 32 || byte === 9) && ++this.#count <= 4096
      case EXTENSION:
        return byte === 13 ? this.#to(SIZE_END) : isOf(byte, VALUE) && ++this.#count <= 4096
      case SIZE_END:
        this.#count = 0
        return byte === 10 && this.#to(this.#left === 0 ? TRAILER_START : BODY)
      case BODY_END:
        return byte === 13 && this.#to(BODY_END_LF)
      case BODY_END_LF:
        return byte === 10 && this.#to(SIZE)
      case TRAILER_START:
        return byte === 13 ? this.#to(END) : isOf(byte, TOKEN) && this.#to(TRAILER)
      case TRAILER:
        return byte === 13 ? this.#to(TRAILER_END) : isOf(byte, VALUE) && ++this.#count <= 8192
      case TRAILER_END:
        return byte === 10 && this.#to(TRAILER_START)
      case END:
        this.done = byte === 10
        return this.done
      default: // NONE: an earlier byte was not allowed
        return false
    }
  }

  #size(byte: number): boolean {
    const digit = hexOf(byte)
    if (digit < 0) return this.#count > 0 && this.#to(AFTER_SIZE[byte] ?? NONE)
    this.#left = this.#left * 16 + digit
    return ++this.#count <= 16 && this.#left <= Number.MAX_SAFE_INTEGER
  }

  #to(step: number): boolean {
    this.#step = step
    return step !== NONE
  }
}
