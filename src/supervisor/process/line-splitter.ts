const NEWLINE = 10
/** So much of a line is kept back while its newline has not come. */
const LONGEST = 64 * 1024

/**
 * Bytes → whole lines as latin1 text, in batches: `\r\n` becomes `\n`, the start of a line is kept until its newline comes.
 * A line that has outgrown 64 KiB goes on in pieces without a newline; `\r` and `\n` are never parted.
 * The work is done per chunk, not per line: a few scans by the machine, whatever the number of lines.
 */
export class LineCutter {
  #tail = ''
  #isWithinLine = false

  /** The lines that this chunk completes, '' when it completes none. */
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

  /** The last line, given its newline when it had none; '' when nothing is left. */
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

/** Enough for the longest stack traces, in characters. */
const KEPT = 32 * 1024
const LINES = 10

/** The last lines of a stream, for messages: bounded, and cheap for whoever writes much. */
export class Tail {
  #text = ''

  /** More latin1 text, in whatever pieces it comes. */
  see(text: string): void {
    this.#text = text.length >= KEPT ? text.slice(-KEPT) : this.#text + text
    if (this.#text.length > 2 * KEPT) this.#text = this.#text.slice(-KEPT)
  }

  /** What is kept, decoded as UTF-8; empty lines are left out. */
  get all(): readonly string[] {
    const lines = Buffer.from(this.#text, 'latin1').toString().split(/\r?\n/)
    return lines.filter(line => line.trim() !== '')
  }

  /** At most the last ten of them. */
  get lines(): readonly string[] {
    return this.all.slice(-LINES)
  }
}
