/* oxlint-disable no-control-regex -- what terminals obey */

/** Matches a part of terminal output: a control sequence (parameters, final byte), a string for the terminal, another escape, a move, text, or a control. */
const PART =
  /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|[\n\r\b]|[^\x00-\x08\x0a-\x1f\x7f]+|[^]/g
/** Matches an incomplete sequence, character, or end of a line (`\r\n`) at the end of a piece. */
const UNFINISHED =
  /(?:\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)|\r|[\xc2-\xf4]|[\xe0-\xf4][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2})$/
/** Maximum length of an incomplete sequence: longer than any real one. */
const MAX_UNFINISHED = 4096
/** Matches controls and moves, which plain text does not contain. `\r\n` is the end of a line. */
const MOVES = /[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]|\x1b(?!\[[\d;:]*m)|\r(?!\n)/
/** Matches a character of UTF-8, as latin1 text. */
const CHARACTER = /[\xc2-\xf4][\x80-\xbf]+|[^]/g
/** Maximum length of a line. A longer one is returned in pieces. */
const LONGEST = 64 * 1024

/**
 * Converts a terminal's output to latin1 log lines. A line that the program overwrites, such as a progress bar, is logged in its last state.
 * Colours stay. The alternate screen (of an editor, a pager) is not logged. A move to another line only begins a new line.
 */
export class TerminalLines {
  /** Line so far: each item is a character with the colours before it. */
  #cells: string[] = []
  #column = 0
  #colours = ''
  #rest = ''
  #isSecond = false

  /** Whether the program shows the alternate screen. */
  get isSecond(): boolean {
    return this.#isSecond
  }

  /** Returns the lines that this chunk completes; '': none. */
  push(chunk: Buffer): string {
    let text = this.#rest + chunk.toString('latin1')
    this.#rest = UNFINISHED.exec(text.slice(-MAX_UNFINISHED))?.[0] ?? ''
    if (this.#rest !== '') text = text.slice(0, -this.#rest.length)
    return this.#isPlain(text) ? this.#plainly(text) : this.#obey(text)
  }

  /** Returns an incomplete last line with a newline; '': none is left. */
  end(): string {
    if (this.#rest >= '\x80') this.#put(this.#rest)
    this.#rest = ''
    return this.#line().replace(/^\n$/, '')
  }

  #isPlain(text: string): boolean {
    return !this.#isSecond && this.#column === this.#cells.length && !MOVES.test(text)
  }

  #plainly(text: string): string {
    const end = text.lastIndexOf('\n') + 1
    const before = end > 0 ? this.#line().slice(0, -1) : ''
    const lines = end > 0 ? before + text.slice(0, end).replaceAll('\r\n', '\n') : ''
    return lines + this.#obey(text.slice(end))
  }

  #obey(text: string): string {
    let lines = ''
    for (const [part, parameters = '', letter = ''] of text.matchAll(PART)) {
      if (letter !== '') lines += this.#control(parameters, letter)
      else if (this.#isSecond) continue
      else if (part === '\n') lines += this.#line()
      else if (part === '\r') this.#column = 0
      else if (part === '\b') this.#move(this.#column - 1)
      else if (part >= ' ' || part.startsWith('\t')) this.#put(part)
      if (this.#cells.length > LONGEST) lines += this.#line().slice(0, -1)
    }
    return lines
  }

  #put(text: string): void {
    for (const [character] of text.matchAll(CHARACTER)) {
      while (this.#cells.length < this.#column) this.#cells.push(' ')
      this.#cells[this.#column++] = this.#colours + character
      this.#colours = ''
    }
  }

  /** Executes a control sequence (ECMA-48). Returns the line that it ends; '': none. */
  #control(parameters: string, letter: string): string {
    if (/^\?(?:1049|1047|47)$/.test(parameters) && 'hl'.includes(letter)) {
      this.#isSecond = letter === 'h'
      return ''
    }
    if (this.#isSecond || parameters.startsWith('?')) return ''
    const count = Math.min(Math.max(1, Number.parseInt(parameters, 10) || 1), LONGEST)
    if (letter === 'm') this.#colours += `\x1b[${parameters}m`
    else if (letter === 'G') this.#move(count - 1)
    else if (letter === 'C') this.#move(this.#column + count)
    else if (letter === 'D') this.#move(this.#column - count)
    else if (letter === 'P') this.#cells.splice(this.#column, count)
    else if (letter === '@' && this.#column < this.#cells.length)
      this.#cells.splice(this.#column, 0, ...Array<string>(Math.min(count, 1000)).fill(' '))
    else if (letter === 'K' || letter === 'J') {
      if (/^[123]$/.test(parameters)) this.#cells.fill(' ', 0, this.#column)
      if (parameters !== '1') this.#cells.length = Math.min(this.#cells.length, this.#column)
    } else if ('ABEFHf'.includes(letter) && this.#cells.some(cell => cell.trim() !== '')) return this.#line()
    else if ('EFHf'.includes(letter)) this.#move(0)
    return ''
  }

  #move(column: number): void {
    this.#column = Math.min(Math.max(0, column), LONGEST)
  }

  #line(): string {
    const line = `${this.#cells.join('')}${this.#colours}\n`
    this.#cells = []
    this.#column = 0
    this.#colours = ''
    return line
  }
}
