import type {MistakeCode} from '../model/mistake-code.ts'
import type {WarningCode} from '../model/reporter.ts'
import {wantsColours} from './colours.ts'
import {folded} from './fold.ts'
import {paintedStatus} from './paint.ts'
import {print, signedLine, type Sign} from './print.ts'

type Code = WarningCode | MistakeCode

/** Prints a status line; on a terminal in the form of `shownStatus`. */
export function say(stream: NodeJS.WriteStream, status: Sign, message: string, asJson: boolean, code?: Code): void {
  print(stream, shownStatus(stream, status, message, asJson, code))
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
