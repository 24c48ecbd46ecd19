import {stringWidth} from './string-width.cjs'
import {stripVTControlCharacters} from 'node:util'
import {terminalText} from '../../observe/logging/terminal-text.ts'

/** How many columns of a terminal the text takes: two for a wide character of Chinese, Japanese, Korean or an emoji (UAX #11). */
export const widthOf = (text: string): number => (PLAIN.test(text) ? text.length : stringWidth(text))

/** Texts of which each character takes one column. */
export const PLAIN = /^[ -~]*$/

/** Cuts `text` to `width` columns and marks the cut with `…`. */
export const cut = (text: string, width: number): string =>
  widthOf(text) <= width ? text : `${text.slice(0, fittingEnd(text, Math.max(0, width - 1)))}…`

/** Returns the end of the longest beginning of `text` that is not wider than `width` columns. */
export function fittingEnd(text: string, width: number): number {
  if (PLAIN.test(text)) return Math.min(text.length, width)
  let room = width
  for (const {segment, index} of new Intl.Segmenter().segment(text)) {
    room -= widthOf(segment)
    if (room < 0) return index
  }
  return text.length
}

/** Returns the characters of a text as a person counts them. */
export const characters = (text: string): string[] =>
  Array.from(new Intl.Segmenter().segment(text), ({segment}) => segment)

export const padEnd = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)))

export const padStart = (text: string, width: number): string => ' '.repeat(Math.max(0, width - widthOf(text))) + text

/** Returns text from outside as one line without colours. Control characters become visible, and tabs blanks. */
export function visibleText(text: string): string {
  if (PLAIN.test(text)) return text
  const line = stripVTControlCharacters(text).replaceAll('\t', '    ').replaceAll('\n', ' ')
  return Buffer.from(terminalText(Buffer.from(line).toString('latin1')), 'latin1').toString()
}

/** Returns the visible text, cut to `width` columns. */
export const visibleCut = (text: string, width: number): string => cut(visibleText(text), width)

/** The size of a terminal that does not tell it (0 columns), as in some CI systems. */
export const USUAL_COLUMNS = 80
export const USUAL_ROWS = 24

/** Returns the columns of stdout, but at least `min`. Infinity if it is not a terminal. */
export const outputColumns = (min: number): number =>
  process.stdout.isTTY ? Math.max(min, process.stdout.columns || USUAL_COLUMNS) : Infinity
