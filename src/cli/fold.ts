import {fittingEnd, widthOf} from './width.ts'

const INDENT = '    '
/** In a narrower window nothing is gained. */
const MIN_WIDTH = 16

/** Breaks lines that are wider than `width` (columns of a terminal; undefined: anything goes) at blanks, and indents what follows. */
export function folded(text: string, width: number | undefined): string {
  if (width === undefined || width < MIN_WIDTH) return text
  return text
    .split('\n')
    .flatMap(line => [...pieces(line, width)])
    .join('\n')
}

function* pieces(line: string, width: number): Generator<string> {
  let left = line
  while (widthOf(left) > width) {
    const fits = fittingEnd(left, width)
    const blank = left.lastIndexOf(' ', fits)
    const end = blank > INDENT.length ? blank : fits
    yield left.slice(0, end)
    left = INDENT + left.slice(end).trimStart()
  }
  yield left
}
