/** The source of lines: a stream of an app. Compared by identity. */
export interface Writer {
  /** Prefix of each of its lines; latin1; empty for none. */
  readonly prefix: string
}

/** Text of one writer with a prefix before each line, also before a first line that continues an open one. */
export interface WrittenPiece<W extends Writer = Writer> {
  readonly writer: W
  readonly text: string
}

/** The end of the output so far. */
export interface Ending {
  readonly isOpen: boolean
  readonly writer: Writer | undefined
}

/** Maximum number of characters that wait for the end of another writer's line, and maximum time of that wait in ms. */
const MAX_HELD = 1024 * 1024
const MAX_HELD_MS = 5000

/**
 * Returns a piece as it follows the given end. An open line of the same writer continues without a second prefix. An open line of another
 * writer gets a newline first; its rest becomes a line with its own prefix.
 */
export function following({isOpen, writer}: Ending, piece: WrittenPiece): string {
  if (!isOpen) return piece.text
  return piece.writer === writer ? piece.text.slice(piece.writer.prefix.length) : `\n${piece.text}`
}

/**
 * Keeps lines whole that arrive in pieces. While a writer has an open line, pieces of others wait, up to 1 MiB and 5 s; then the line is
 * broken as in `following`. A progress bar may keep a line open for hours.
 */
export class WholeLines {
  readonly #late: (text: string) => void
  #open: Writer | undefined
  #held: WrittenPiece[] = []
  #heldSize = 0
  #timer: NodeJS.Timeout | undefined

  /** `late` receives pieces that have waited too long. */
  constructor(late: (text: string) => void) {
    this.#late = late
  }

  /** Adds a piece and returns the text to write now, possibly ''. */
  take(piece: WrittenPiece): string {
    if (piece.text === '') return ''
    if (this.#open === undefined || this.#open === piece.writer) return this.#append(piece) + this.#retryHeld()
    this.#held.push(piece)
    this.#heldSize += piece.text.length
    this.#timer ??= setTimeout(() => this.#late(this.release()), MAX_HELD_MS).unref()
    return this.#heldSize > MAX_HELD ? this.release() : ''
  }

  /** Returns the offset of a piece in a log of this length. Infinity while other pieces wait, since their order is not decided. */
  placeAt(length: number): number {
    return this.#held.length === 0 ? length : Infinity
  }

  /** Returns all waiting text, even if a line is open. */
  release(): string {
    return this.#takeHeld()
      .map(piece => this.#append(piece))
      .join('')
  }

  #append(piece: WrittenPiece): string {
    const text = following({isOpen: this.#open !== undefined, writer: this.#open}, piece)
    this.#open = piece.text.endsWith('\n') ? undefined : piece.writer
    return text
  }

  /** Appends waiting pieces in order after the end of a line. A piece may open a line: then the rest waits again. */
  #retryHeld(): string {
    if (this.#open !== undefined || this.#held.length === 0) return ''
    return this.#takeHeld()
      .map(piece => this.take(piece))
      .join('')
  }

  #takeHeld(): WrittenPiece[] {
    const held = this.#held
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#held = []
    this.#heldSize = 0
    return held
  }
}
