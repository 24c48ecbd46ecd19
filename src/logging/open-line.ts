/** Whose lines they are: a stream of an app. Compared by identity. */
export interface Writer {
  /** What stands before each of its lines; latin1, '' for none. */
  readonly prefix: string
}

/** Text of one writer, each line behind the writer's prefix, the first one too even if it goes on with an open line. */
export interface Piece<W extends Writer = Writer> {
  readonly writer: W
  readonly text: string
}

/** What a destination ends with. */
export interface Ending {
  readonly isOpen: boolean
  /** Who wrote last. */
  readonly writer: Writer | undefined
}

/** Characters that wait for another writer's line to end. */
const MAX_HELD = 1024 * 1024

/**
 * A piece as it follows what is there: one's own open line goes on without a second prefix; another's gets its newline
 * first, and what remains of it will come as a line of its own, behind its prefix.
 */
export function following({isOpen, writer}: Ending, piece: Piece): string {
  if (!isOpen) return piece.text
  return piece.writer === writer ? piece.text.slice(piece.writer.prefix.length) : `\n${piece.text}`
}

/**
 * Keeps lines whole that come in pieces: while the line of one writer is open, the others' pieces wait, up to 1 MiB;
 * past that the line is cut, as `following` does.
 */
export class WholeLines {
  #open: Writer | undefined
  #held: Piece[] = []
  #heldSize = 0

  /** What is to be written now, '' for nothing. */
  take(piece: Piece): string {
    if (piece.text === '') return ''
    if (this.#open === undefined || this.#open === piece.writer) return this.#append(piece) + this.#retryHeld()
    this.#held.push(piece)
    this.#heldSize += piece.text.length
    return this.#heldSize > MAX_HELD ? this.release() : ''
  }

  /** What still waits, whoever's line is open. */
  release(): string {
    return this.#takeHeld()
      .map(piece => this.#append(piece))
      .join('')
  }

  #append(piece: Piece): string {
    const text = following({isOpen: this.#open !== undefined, writer: this.#open}, piece)
    this.#open = piece.text.endsWith('\n') ? undefined : piece.writer
    return text
  }

  /** The line has ended: what waited comes in its order, and may open a line for which the rest waits again. */
  #retryHeld(): string {
    if (this.#open !== undefined || this.#held.length === 0) return ''
    return this.#takeHeld()
      .map(piece => this.take(piece))
      .join('')
  }

  #takeHeld(): Piece[] {
    const held = this.#held
    this.#held = []
    this.#heldSize = 0
    return held
  }
}
