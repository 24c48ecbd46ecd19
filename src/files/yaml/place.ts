import type {Place} from '../../model/errors.ts'

/** A range of a text: `start` is the first offset, `end` the one after the last. */
export interface Spot {
  readonly start: number
  readonly end: number
}

/** Line and column of an offset in the text of a file, and the line. */
export function placeIn({file, text}: {readonly file: string; readonly text: string}, offset: number): Place {
  const start = text.slice(0, offset).lastIndexOf('\n') + 1
  const end = text.indexOf('\n', offset)
  const source = text.slice(start, end === -1 ? text.length : end).replace(/\r$/, '')
  return {file, line: lineOf(text, offset), column: offset - start + 1, source}
}

/** Line number of an offset, counted from 1. */
function lineOf(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}
