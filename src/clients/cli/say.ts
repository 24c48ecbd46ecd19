import type {UserError} from '../../model/errors.ts'
import type {MistakeCode} from '../../model/mistake-code.ts'
import type {WarningCode} from '../../model/reporter.ts'
import {wantsColours} from './colours.ts'
import {paintedStatus} from './paint.ts'
import {print, signedLine, type Sign} from './print.ts'
import {fittingEnd, widthOf} from './width.ts'

const INDENT = '    '
/** Width below which wrapping gains nothing. */
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
    const end = blank > INDENT.length ? blank : fits > INDENT.length ? fits : width // a character may be wider
    yield left.slice(0, end)
    left = INDENT + left.slice(end).trimStart()
  }
  yield left
}

type Code = WarningCode | MistakeCode

/** Prints a status line; on a terminal in the form of `shownStatus`. */
export function say(stream: NodeJS.WriteStream, status: Sign, message: string, asJson: boolean, code?: Code): void {
  print(stream, shownStatus(stream, status, message, asJson, code))
}

/** Prints an error on its stream, and on stderr its place and what to do. */
export function sayError({stream, message, explanation, code}: UserError, asJson: boolean): void {
  say(stream === 'stdout' ? process.stdout : process.stderr, 'failure', message, asJson, code)
  if (explanation !== '') print(process.stderr, `${explanation.trimEnd()}\n`)
}

/** A status line for this stream: on a terminal folded at its width, and the first line of a warning or an error coloured. */
export function shownStatus(
  {isTTY, columns}: NodeJS.WriteStream,
  status: Sign,
  message: string,
  asJson: boolean,
  code?: Code
): string {
  const line = signedLine(status, message, asJson, code)
  if (asJson) return line
  const width = isTTY ? columns - 1 : undefined
  const end = line.indexOf('\n')
  const first = folded(line.slice(0, end), width)
  return (wantsColours(isTTY, process.env) ? paintedStatus(status, first) : first) + folded(line.slice(end), width)
}
