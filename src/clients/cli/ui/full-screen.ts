import {
  beginSynchronizedOutput,
  clearViewport,
  cursorHide,
  cursorShow,
  cursorTo,
  endSynchronizedOutput,
  enterAlternativeScreen,
  eraseEndLine,
  exitAlternativeScreen
} from 'ansi-escapes'
import {inLocale} from '../../../model/locale-signs.ts'
import {USUAL_COLUMNS, USUAL_ROWS} from '../width.ts'

/** The screen of a terminal as lines; replaces the screen of the shell until it closes, unless both share one. */
export class FullScreen {
  readonly #out: NodeJS.WriteStream
  readonly #isShared: boolean
  #shown: readonly string[] = []
  #isOpen = false

  constructor(out: NodeJS.WriteStream, {isShared = false} = {}) {
    this.#out = out
    this.#isShared = isShared
    out.on('error', () => undefined) // the terminal was closed: SIGHUP ends the command
  }

  /** The usable size: one column is left free, since terminals differ in what they do with the last one. */
  get size(): {readonly width: number; readonly height: number} {
    return {width: Math.max(1, (this.#out.columns || USUAL_COLUMNS) - 1), height: this.#out.rows || USUAL_ROWS}
  }

  open(): void {
    this.#isOpen = true
    if (!this.#isShared) this.#out.write(enterAlternativeScreen + cursorHide)
    this.clear()
  }

  /** Erases the screen, so that the next `draw` writes all lines: other programs may have written to it. */
  clear(): void {
    this.#shown = []
    if (this.#isOpen) this.#out.write(clearViewport)
  }

  /** Shows these lines, each no wider than the screen; writes those that have changed. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return
    const height = Math.max(lines.length, this.#shown.length)
    let text = ''
    for (let row = 0; row < height; row++) {
      const line = lines[row] ?? ''
      if (line !== this.#shown[row]) text += cursorTo(0, row) + line + eraseEndLine
    }
    this.#shown = lines
    if (text === '') return
    // the shell writes below a shared screen
    const end = this.#isShared ? cursorTo(0, lines.length) : ''
    this.#out.write(beginSynchronizedOutput + inLocale(text, process.env) + end + endSynchronizedOutput)
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#out.write(cursorShow + exitAlternativeScreen)
  }
}
