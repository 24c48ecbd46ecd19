const NEWLINE = 10
/** Maximum length of an incomplete line that is held back. */
const LONGEST = 64 * 1024

/**
 * Splits bytes into batches of complete lines as latin1 text, once per chunk and not per line. `\r\n` becomes `\n`. Holds the start of a line
 * back until its newline arrives, but returns a line of more than 64 KiB in pieces without a newline.
 */
export class LineSplitter {
  #tail = ''
  #isWithinLine = false

  /** Returns the lines that this chunk completes; '': none. */
  push(chunk: Buffer): string {
    const end = chunk.lastIndexOf(NEWLINE) + 1
    let text = ''
    if (end > 0) {
      text = this.#tail + chunk.toString('latin1', 0, end)
      this.#tail = ''
      this.#isWithinLine = false
    }
    if (end < chunk.length) this.#tail += chunk.toString('latin1', end)
    if (this.#tail.length > LONGEST) text += this.#cutPiece()
    return plain(text)
  }

  /** Returns an incomplete last line with a newline; '': none is left. */
  end(): string {
    if (this.#tail === '' && !this.#isWithinLine) return ''
    const text = `${this.#tail}\n`
    this.#tail = ''
    this.#isWithinLine = false
    return plain(text)
  }

  #cutPiece(): string {
    const length = this.#tail.endsWith('\r') ? this.#tail.length - 1 : this.#tail.length
    const piece = this.#tail.slice(0, length)
    this.#tail = this.#tail.slice(length)
    this.#isWithinLine = true
    return piece
  }
}

const plain = (text: string): string => (text.includes('\r') ? text.replaceAll('\r\n', '\n') : text)

/** Number of kept characters: enough for the longest stack traces. */
const KEPT = 32 * 1024
const LINES = 10
/** Text that arrives within this time, in ms, counts as one piece. */
const PRECISION_MS = 250
/** Number of kept times: enough for `since`. */
const MAX_TIMES = 20

/** Keeps the last lines of a stream for messages, in bounded memory and at low cost. */
export class Tail {
  readonly #kept: number
  #text = ''
  /** Length of all text so far, in characters. */
  #length = 0
  /** Times at which text arrived (`performance.now()`), each with the offset at which that text begins. */
  #times: {readonly at: number; readonly from: number}[] = []

  /** `kept`: minimum number of kept characters. */
  constructor(kept = KEPT) {
    this.#kept = kept
  }

  /** Adds latin1 text in arbitrary pieces. */
  see(text: string, now = performance.now()): void {
    if (now - (this.#times.at(-1)?.at ?? -Infinity) >= PRECISION_MS) {
      this.#times.push({at: now, from: this.#length})
      if (this.#times.length > MAX_TIMES) this.#times.shift()
    }
    this.#length += text.length
    this.#text = text.length >= this.#kept ? text.slice(-this.#kept) : this.#text + text
    if (this.#text.length > 2 * this.#kept) this.#text = this.#text.slice(-this.#kept)
  }

  /** Kept lines, decoded as UTF-8, without empty lines. */
  get all(): readonly string[] {
    return linesOf(this.#text)
  }

  /** Returns the lines since a time (`performance.now()`). Some may be up to `PRECISION_MS` older. */
  since(time: number): readonly string[] {
    const first = this.#times.find(({at}) => at + PRECISION_MS > time)
    if (first === undefined) return []
    return linesOf(this.#text.slice(-Math.max(1, this.#length - first.from)))
  }

  /** Last lines, at most ten. */
  get lines(): readonly string[] {
    return this.all.slice(-LINES)
  }
}

const linesOf = (text: string): readonly string[] =>
  Buffer.from(text, 'latin1')
    .toString()
    .split(/\r?\n/)
    .filter(line => line.trim() !== '')
