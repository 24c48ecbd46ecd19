import {stringWidth} from './string-width.cjs'

/** How many columns of a terminal the text takes: two for a wide character of Chinese, Japanese, Korean or an emoji (UAX #11). */
export const widthOf = (text: string): number => (PLAIN.test(text) ? text.length : stringWidth(text))

/** Each character takes one column. */
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

/** The characters of a text as a person counts them. */
export const characters = (text: string): string[] =>
  Array.from(new Intl.Segmenter().segment(text), ({segment}) => segment)

export const padEnd = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)))

export const padStart = (text: string, width: number): string => ' '.repeat(Math.max(0, width - widthOf(text))) + text
