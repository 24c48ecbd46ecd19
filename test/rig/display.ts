import type {Screen} from './screen.ts'

/* oxlint-disable no-control-regex -- what a terminal obeys */
const PART = /\x1b\[([?\d;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+|\x1b/g

/** What stands on a screen on which a program places its lines: those of the second screen (alternate screen), if it is shown. */
export interface Display {
  readonly isSecond: boolean
  readonly isCursorShown: boolean
  /** Without blanks at their ends and without colours. */
  readonly lines: readonly string[]
}

/** Obeys what programs of ours write: places, erasing, the second screen. Colours and what else there is count for nothing. */
export function displayOf(text: string): Display {
  let rows: string[] = []
  let row = 0
  let column = 0
  let isSecond = false
  let isCursorShown = true
  const put = (piece: string): void => {
    const line = (rows[row] ?? '').padEnd(column)
    rows[row] = line.slice(0, column) + piece + line.slice(column + piece.length)
    column += piece.length
  }
  for (const [part, parameters = '', letter = ''] of text.matchAll(PART)) {
    if (part === '\r') column = 0
    else if (part === '\n') row++
    else if (!part.startsWith('\x1b')) put(part)
    else if (letter === 'H') {
      const [line = 1, place = 1] = parameters.split(';').map(number => Number(number) || 1)
      row = line - 1
      column = place - 1
    } else if (letter === 'A') row = Math.max(0, row - (Number(parameters) || 1))
    else if (letter === 'J') rows = parameters === '' ? rows.slice(0, row) : []
    else if (letter === 'K') rows[row] = (rows[row] ?? '').slice(0, column)
    else if (parameters === '?25') isCursorShown = letter === 'h'
    else if (parameters === '?1049') {
      isSecond = letter === 'h'
      rows = []
      row = column = 0
    }
  }
  return {isSecond, isCursorShown, lines: Array.from(rows, line => (line ?? '').trimEnd())}
}

/** The second screen of a program, once one of its lines matches. */
export async function displayed(screen: Screen, pattern: RegExp): Promise<readonly string[]> {
  return screen.sees(
    text => {
      const {isSecond, lines} = displayOf(text)
      return isSecond && lines.some(line => pattern.test(line)) ? lines : undefined
    },
    `${String(pattern)} on the second screen`
  )
}
