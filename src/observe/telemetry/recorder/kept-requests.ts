import {sizeOfPieces, type ByteTape, type TapePiece} from './byte-tape.ts'
import type {CallLines} from './call-lines.ts'

/** The tape is checked each time that one of its parts, an eighth, was written. */
const PARTS = 8
const MAX_BYTES = 1024 * 1024

/**
 * Requests of calls under way whose place on the tape is about to be overwritten: who wants to know what killed an app needs those that
 * were inside it, however many others came after them.
 */
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

  /** Gives back what was put aside of a call that is over, with what has come since: the tape is to have it, as of any other. */
  take(number: number): readonly TapePiece[] {
    if (!this.#pieces.has(number)) return []
    this.#keep(number, this.#lines.firstPiece(number), Infinity)
    const pieces = this.of(number)
    this.forget(number)
    return pieces
  }

  /** Call it before a piece is written: once for each part, saves what the next one would overwrite. */
  save(): void {
    if (this.#tape.end < this.#savedUpTo) return
    this.#savedUpTo = this.#tape.end + this.#part
    // calls that begin before this are overwritten until the next check
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
