import type {MistakeCode} from '../model/mistake-code.ts'
import type {WarningCode} from '../model/reporter.ts'
import {terminalText} from '../logging/terminal-text.ts'

/** The signs of Dapr's CLI (`pkg/print/print.go`), each followed by two spaces; no colour. */
const GLYPHS = {success: '✅', failure: '❌', warning: '⚠', pending: '⌛', info: 'ℹ️'} as const

export type Status = keyof typeof GLYPHS

/** One status line, newline included: behind its sign, or as a line of JSON for `--log-as-json`, which has the code of a warning as its last key. */
export const statusLine = (
  status: Status,
  message: string,
  asJson: boolean,
  code?: WarningCode | MistakeCode
): string =>
  asJson
    ? `${JSON.stringify({time: new Date().toISOString(), status, msg: message, code})}\n`
    : `${GLYPHS[status]}  ${message}\n`

/**
 * Prints text that may contain output of others: an app, a template, another process. On a terminal control characters are
 * made visible (`terminalText`); a pipe and a file get the text unchanged. A buffer holds bytes of any encoding.
 */
export function print(stream: NodeJS.WriteStream, text: string | Buffer, done?: () => void): void {
  if (stream.isTTY) stream.write(terminalText(Buffer.from(text).toString('latin1')), 'latin1', done)
  else stream.write(text, done)
}
