/** Bytes in several pieces, since joining them would copy large data. */
export type Scattered = readonly Buffer[]

export interface Part {
  readonly pieces: Scattered
  readonly isLast: boolean
}

/** Maximum number of pieces in a part. More pieces are copied into one, since each costs work. */
const MAX_PIECES = 8

/** The bytes of a stream, in pieces of any size. */
export type Pieces = AsyncIterable<Uint8Array>

/** Reads a stream of pieces as lines, or as parts of one size. Buffers little more than the requested part. */
export class PieceReader {
  readonly #source: AsyncIterator<Uint8Array>
  #held: Buffer[] = []
  #size = 0

  constructor(source: Pieces) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Returns the next line, without its line feed; undefined: no line feed within `maxBytes`. */
  async line(maxBytes: number): Promise<Buffer | undefined> {
    // scans each piece only once: pieces may have a single byte
    for (let count = 0, scanned = 0; ;) {
      for (const piece of this.#held.slice(count)) {
        const at = piece.indexOf(10)
        if (at >= 0)
          return scanned + at < maxBytes ? Buffer.concat(this.#take(scanned + at + 1)).subarray(0, -1) : undefined
        scanned += piece.length
        count++
      }
      if (scanned >= maxBytes || !(await this.#more())) return undefined
    }
  }

  /** Yields all remaining bytes in parts of `bytes` bytes. Only the last part may be shorter; no part is empty. */
  async *parts(bytes: number): AsyncGenerator<Part, void> {
    for (;;) {
      // reads one byte more than the part, to know whether another part follows
      while (this.#size <= bytes && (await this.#more()));
      if (this.#size === 0) return
      const isLast = this.#size <= bytes
      yield {pieces: this.#take(Math.min(bytes, this.#size)), isLast}
      if (isLast) return
    }
  }

  async end(): Promise<void> {
    await this.#source.return?.()
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next()
    if (next.done === true) return false
    const {buffer, byteOffset, length} = next.value
    if (length > 0) this.#held.push(Buffer.from(buffer, byteOffset, length))
    this.#size += length
    return true
  }

  #take(bytes: number): Scattered {
    const taken: Buffer[] = []
    let missing = bytes
    let count = 0
    for (const piece of this.#held) {
      if (missing === 0) break
      taken.push(piece.subarray(0, missing))
      missing -= Math.min(missing, piece.length)
      if (taken.at(-1)?.length === piece.length) count++
      else this.#held[count] = piece.subarray(taken.at(-1)?.length)
    }
    this.#held.splice(0, count)
    this.#size -= bytes
    return taken.length <= MAX_PIECES ? taken : [Buffer.concat(taken)]
  }
}
