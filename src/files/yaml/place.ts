import type {Place} from '../../model/errors.ts'

/** A range of a text: `start` is the first offset, `end` the one after the last. */
export interface Spot {
  readonly start: number
  readonly end: number
}

/** The line that was found last: the places of a file are mostly asked for from its start to its end. */
let last = {text: '', line: 1, start: 0}

/** Line and column of an offset in the text of a file, and the line. */
export function placeIn({file, text}: {readonly file: string; readonly text: string}, offset: number): Place {
  let {line, start} = text === last.text && last.start <= offset ? last : {line: 1, start: 0}
  let end = text.indexOf('\n', start)
  for (; end !== -1 && end < offset; end = text.indexOf('\n', start)) {
    start = end + 1
    line++
  }
  last = {text, line, start}
  const source = text.slice(start, end === -1 ? text.length : end)
  return {file, line, column: offset - start + 1, source: source.endsWith('\r') ? source.slice(0, -1) : source}
}
