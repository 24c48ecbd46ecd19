import type {MistakeCode} from '../model/mistake-code.ts'
import type {WarningCode} from '../model/reporter.ts'
import {wantsColours} from './colours.ts'
import {folded} from './fold.ts'
import {paintedStatus} from './paint.ts'
import {print, statusLine, type Status} from './print.ts'

/** Prints a status line: on a terminal folded at its width and, if it warns of something or fails, coloured. */
export function say(
  stream: NodeJS.WriteStream,
  status: Status,
  message: string,
  asJson: boolean,
  code?: WarningCode | MistakeCode
): void {
  print(stream, shownStatus(stream, statusLine(status, message, asJson, code), {status, asJson}))
}

/** A status line as `say` prints it. */
export function shownStatus(
  stream: NodeJS.WriteStream,
  line: string,
  {status, asJson}: {status: Status; asJson: boolean}
): string {
  if (asJson) return line
  const fitted = folded(line, stream.isTTY ? stream.columns - 1 : undefined)
  return wantsColours(stream.isTTY, process.env) ? paintedStatus(status, fitted) : fitted
}
