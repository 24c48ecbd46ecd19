import {getSystemErrorMessage} from 'node:util'
import {codeOf, messageOf} from '../../model/errors.ts'
import type {HintCode} from '../../model/hint-code.ts'
import {inLocale} from '../../model/locale-signs.ts'
import type {MistakeCode} from '../../model/mistake-code.ts'
import type {WarningCode} from '../../model/reporter.ts'
import {terminalText} from '../../observe/logging/terminal-text.ts'

/** The signs of Dapr's CLI (`pkg/print/print.go`), each followed by two spaces; no colour. */
const GLYPHS = {success: '✅', failure: '❌', warning: '⚠', pending: '⌛', info: 'ℹ️'} as const

export type Sign = keyof typeof GLYPHS

export type Code = WarningCode | MistakeCode | HintCode

/** Returns a status line with its newline: with a sign, or as JSON for `--log-as-json`. The last key of the JSON is the code of a warning or an error. */
export const signedLine = (status: Sign, message: string, asJson: boolean, code?: Code, hint?: string): string =>
  asJson
    ? `${JSON.stringify({time: new Date().toISOString(), status, msg: message, hint, code})}\n`
    : `${GLYPHS[status]}  ${message}\n`

/**
 * Prints text that may contain output of others: an app, a template, another process. On a terminal control characters are
 * made visible (`terminalText`); a pipe and a file get the text unchanged. A buffer holds bytes of any encoding.
 */
export function print(stream: NodeJS.WriteStream, text: string | Buffer, done?: () => void): void {
  // without a listener Node would end us with a stack trace
  if (stream.listenerCount('error') === 0) stream.on('error', noteFailure)
  if (!stream.isTTY) return void stream.write(text, done)
  const shown = typeof text === 'string' ? inLocale(text, process.env) : text
  stream.write(terminalText(Buffer.from(shown).toString('latin1')), 'latin1', done)
}

/** Prints a text; settles when it is written: a pipe may not take it all at once. */
export const printWhole = async (stream: NodeJS.WriteStream, text: string | Buffer): Promise<void> =>
  new Promise(resolve => {
    if (text.length === 0) resolve()
    else print(stream, text, resolve)
  })

/** Writes latin1 text, and settles once a slow reader has taken it. Uses a callback: many listeners of `drain` would look like a leak. */
export async function writeBytes(stream: NodeJS.WritableStream, text: string): Promise<void> {
  const {promise, resolve} = Promise.withResolvers<void>()
  if (!stream.write(text, 'latin1', () => resolve())) await promise
}

/** Returns why something failed, in the system's words: `no space left on device`. */
export const errorReason = (error: unknown): string =>
  error instanceof Error && 'errno' in error && typeof error.errno === 'number'
    ? getSystemErrorMessage(error.errno)
    : messageOf(error)

let firstFailure: Error | null = null

/** Keeps the first error of a standard stream: the stream itself forgets an error that it has emitted (`dummyDestroy` of Node). */
export const noteFailure = (error: Error): void => void (firstFailure ??= error)

/** Returns the error if stdout could not be written (a full disk, for example); empty if it could, or if its reader is gone. */
export function unwritten(): string {
  const failure = firstFailure ?? process.stdout.errored
  // a terminal that has hung up gives EIO
  const gone = process.stdout.isTTY ? ['EPIPE', 'EIO'] : ['EPIPE']
  return failure === null || gone.includes(codeOf(failure)) ? '' : `cannot write to stdout: ${errorReason(failure)}\n`
}

/** Ends a command as soon as stdout is closed: `logs -f | head`. */
export function endWithStdout(): void {
  process.stdout.on('error', error => {
    noteFailure(error)
    const message = unwritten()
    if (message !== '') print(process.stderr, message) // written at once: here stderr is not a socket
    process.exit(message === '' ? 0 : 1)
  })
}
