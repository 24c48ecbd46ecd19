import {isatty} from 'node:tty'
import type {UserError} from '../../model/errors.ts'
import {wantsColours, paintedStatus} from './paint.ts'
import {print, signedLine, type Code, type Sign} from './print.ts'
import {fittingEnd, visibleCut, visibleText, widthOf} from './width.ts'

const INDENT = '    '
/** Width below which wrapping gains nothing. */
const MIN_WIDTH = 16

/** Breaks lines that are wider than `width` columns at blanks, and indents the rest. undefined: no limit. */
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
    const end = blank > INDENT.length ? blank : fits > INDENT.length ? fits : width // even one character is too wide
    yield left.slice(0, end)
    left = INDENT + left.slice(end).trimStart()
  }
  yield left
}

/** Folds lines of apps, none wider than `width`, and makes control characters in them visible. */
export const foldedLines = (lines: readonly string[], width: number): readonly string[] =>
  lines.flatMap(line =>
    folded(visibleText(line), width)
      .split('\n')
      .map(piece => visibleCut(piece, width))
  )

/** Folds a text at the width of a terminal; other streams get it unchanged. */
export const foldedFor = ({isTTY, columns}: NodeJS.WriteStream, text: string): string =>
  folded(text, isTTY ? columns - 1 : undefined)

/** Prints a status line; on a terminal in the form of `shownStatus`. */
export function say(stream: NodeJS.WriteStream, status: Sign, message: string, asJson: boolean, code?: Code): void {
  print(stream, shownStatus(stream, status, message, asJson, code))
}

/** Prints an error on its stream, and its place and next step on stderr; as JSON both are one line. `message` replaces the error's own. */
export function sayError(error: UserError, asJson: boolean, message = error.message): void {
  const {stream} = error
  const code = error.code === 'answer' ? undefined : error.code
  const hint = error.explanation.trimEnd()
  const out = stream === 'stdout' ? process.stdout : process.stderr
  if (asJson && error.code !== 'answer' && !hint.includes('\n'))
    return print(out, signedLine('failure', message, asJson, code, hint || undefined))
  say(out, 'failure', message, asJson, code)
  if (hint === '') return
  // an answer's body is printed unchanged, so that it can be copied
  const text = `${coded(hint, code)}\n`
  print(process.stderr, error.code === 'answer' ? text : foldedFor(process.stderr, text))
}

/** Returns a hint, followed by its code if stdin is not a terminal: programs read it. A hint of several lines (a place in a file) gets none. */
export const coded = (hint: string, code: Code | undefined): string =>
  code === undefined || HAS_TERMINAL || hint.includes('\n') ? hint : `${hint} [${code}]`

export const HAS_TERMINAL = isatty(0)
/** Without a terminal, a caller needs the form of `up` that returns. */
export const UP = HAS_TERMINAL ? 'pillion up' : 'pillion up -d'
/** Returns the command for the lines of a run; without a terminal a command that returns. `of`: the flags by which it reaches the run. */
export const logsHint = (of: string): string =>
  HAS_TERMINAL ? `pillion logs -f${of} follows` : `pillion logs${of} shows lines`
/** Returns a hint of several sentences: a line each; without a terminal one line. */
export const hintOf = (...parts: readonly string[]): string => {
  const said = parts.filter(part => part !== '')
  return HAS_TERMINAL ? said.join('\n') : said.map(part => part.replace(/(?<![.?!])$/, '.')).join(' ')
}

/** Returns a status line for this stream: on a terminal folded at its width, and the first line of a warning or an error coloured. */
export function shownStatus(
  stream: NodeJS.WriteStream,
  status: Sign,
  message: string,
  asJson: boolean,
  code?: Code
): string {
  const line = signedLine(status, message, asJson, code)
  if (asJson) return line
  const end = line.indexOf('\n')
  const first = foldedFor(stream, line.slice(0, end))
  const shown = wantsColours(stream.isTTY, process.env) ? paintedStatus(status, first) : first
  return shown + foldedFor(stream, line.slice(end))
}
