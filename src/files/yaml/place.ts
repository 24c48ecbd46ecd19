import type {Place} from '../../model/errors.ts'
import type {Document, YAMLParseError} from 'yaml'

/** A range of a text: `start` is included, `end` is not. */
export interface Spot {
  readonly start: number
  readonly end: number
}

/** Line starts of the text that was asked for last: callers ask for many places of one file, in any order. */
let last: {readonly text: string; readonly starts: readonly number[]} = {text: '', starts: [0]}

/** Line and column of an offset in the text of a file, and the line. */
export function placeIn({file, text}: {readonly file: string; readonly text: string}, offset: number): Place {
  if (text !== last.text) last = {text, starts: startsOf(text)}
  const {starts} = last
  let [line, after] = [0, starts.length]
  while (after - line > 1) {
    const middle = Math.floor((line + after) / 2)
    if ((starts[middle] ?? 0) <= offset) line = middle
    else after = middle
  }
  const start = starts[line] ?? 0
  const source = text.slice(start, (starts[line + 1] ?? text.length + 1) - 1)
  return {
    file,
    line: line + 1,
    column: offset - start + 1,
    source: source.endsWith('\r') ? source.slice(0, -1) : source
  }
}

function startsOf(text: string): readonly number[] {
  const starts = [0]
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) starts.push(end + 1)
  return starts
}

/** Why a document cannot be read. */
export interface YamlFault {
  readonly code: 'invalid-yaml' | 'invalid-utf8' | 'control-character'
  /** The message, in Go's words if Go has some. */
  readonly message: string
  readonly spot: Spot
  /** A syntax fault of the library, for `explainFault`. */
  readonly syntax?: {
    readonly document: Document
    readonly error: YAMLParseError
    readonly text: string
    readonly start: number
  }
}
