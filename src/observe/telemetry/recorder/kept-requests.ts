import {sizeOfPieces, type ByteTape, type TapePiece} from './byte-tape.ts'
import type {CallLines} from './call-lines.ts'

/** Number of parts of the tape; requests are saved once per written part. */
const PARTS = 8
const MAX_BYTES = 1024 * 1024

/** Saves requests of open calls before the tape overwrites them, so that a crash report shows all requests in flight. */
export class KeptRequests {
  readonly #lines: CallLines
  readonly #tape: ByteTape
  readonly #part: number
  readonly #pieces = new Map<number, readonly TapePiece[]>()
  #bytes = 0
  #savedUpTo: number

  constructor(lines: CallLines, tape: ByteTape) {
    this.#lines = lines
    this.#tape = tape
    this.#part = tape.size / PARTS
    this.#savedUpTo = tape.size - this.#part
  }

  of(number: number): readonly TapePiece[] {
    return this.#pieces.get(number) ?? []
  }

  forget(number: number): void {
    if (this.#pieces.size === 0) return
    this.#bytes -= sizeOfPieces(this.of(number))
    this.#pieces.delete(number)
  }

  /** Returns and forgets the saved and later pieces of an ended call. The recorder writes them to the tape again. */
  take(number: number): readonly TapePiece[] {
    if (!this.#pieces.has(number)) return []
    this.#keep(number, this.#lines.firstPiece(number), Infinity)
    const pieces = this.of(number)
    this.forget(number)
    return pieces
  }

  /** Saves requests that the next part would overwrite. Call it before each piece; it works once per part. */
  save(): void {
    if (this.#tape.end < this.#savedUpTo) return
    this.#savedUpTo = this.#tape.end + this.#part
    // the tape overwrites calls that begin before this position until the next check
    const limit = this.#tape.end + 2 * this.#part - this.#tape.size
    for (const number of this.#lines.open()) {
      const first = this.#lines.firstPiece(number)
      if (first < limit && this.#tape.has(first)) this.#keep(number, first)
    }
  }

  #keep(number: number, first: number, most = MAX_BYTES): void {
    const pieces = this.#tape.pieces(number, first).map(({kind, bytes}) => ({kind, bytes: Buffer.from(bytes)}))
    const bytes = sizeOfPieces(pieces)
    if (this.#bytes + bytes > most) return
    this.#bytes += bytes
    this.#pieces.set(number, [...this.of(number), ...pieces])
    this.#lines.addPiece(number, -1, true)
  }
}
