/** Moves to the start of the line and erases it (ECMA-48, EL). */
const ERASE_LINE = '\r\x1b[K'
/** Moves to the line above (CUU) and erases it. */
const ERASE_ABOVE = `\x1b[A${ERASE_LINE}`
/** Moves to the first place, and erases the screen. */
export const CLEAR = '\x1b[H\x1b[2J'

/** Whether the text after this one begins a line. */
export const endsLine = (text: string): boolean => text.endsWith('\n') || text.endsWith(CLEAR)

/** Lines that stay below all other output of a terminal. Each write erases them and draws them again below the new text. */
export class StatusLines {
  #wanted = ''
  #drawn = ''
  /** Whether the output ends with a whole line, so that lines can be drawn below it. */
  #canDraw = true

  /** Sets the lines for the next write; an empty string removes them. */
  set wanted(lines: string) {
    this.#wanted = lines
  }

  /** Whether the terminal shows other lines than wanted, and a write can change that. */
  get isDue(): boolean {
    return this.#wanted !== this.#drawn && (this.#canDraw || this.#drawn !== '')
  }

  /** Returns the text for the terminal: erases the lines, writes `text`, and draws the lines again if `text` ends a line. */
  below(text: string): string {
    if (text !== '') this.#canDraw = endsLine(text)
    if (this.#wanted === '' && this.#drawn === '') return text
    const before = this.#drawn === '' ? '' : erasing(this.#drawn)
    this.#drawn = this.#canDraw ? this.#wanted : ''
    return before + text + this.#drawn
  }
}

/** Erases lines from the last one upwards. */
const erasing = (lines: string): string => ERASE_LINE + ERASE_ABOVE.repeat(lines.split('\n').length - 1)
