import type {Grep} from './grep.ts'
import {terminalText} from '../logging/terminal-text.ts'
import {asBytes, appPrefix} from '../logging/prefix.ts'

/** The options of `logs`. */
export interface LogsWanted {
  /** Empty: every app of the run. */
  readonly ids: readonly string[]
  /** Number of lines from the end; -1: all. */
  readonly tail: number
  /** ms since 1970; 0: no limit. */
  readonly since: number
  readonly isFollowed: boolean
  readonly version: string
  readonly hasTimes: boolean
  readonly grep: Grep | undefined
  readonly runFile: string | undefined
  readonly asJson: boolean
}

/** A line of a log. */
export interface LogLine {
  /** ms since 1970; 0: unknown. */
  readonly time: number
  /** `stdout`, `stderr`, `status` (our lines about the app); `-`: unknown. */
  readonly stream: string
  readonly app: string
  /** latin1, as the app wrote it, without prefix and newline. */
  readonly text: string
}

/** A line that a run sends (`Handlers.runLogs`): time, stream, app, text. */
const HEADED = /^(\d+) (\S+) (\S+) (.*)$/s

/** Parses a line that a run sent. A line without a head (`… 12 lines dropped`) is returned as text; after '' all lines are new. */
export function readLine(headed: string): LogLine | string {
  const [, time = '', stream = '', name = '', text = ''] = HEADED.exec(headed) ?? []
  if (time === '') return headed
  const app = decodeURIComponent(name)
  if (stream !== '-') return {time: Number(time), stream, app, text}
  const prefix = appPrefix(app)
  return text.startsWith(prefix)
    ? {time: 0, stream, app, text: text.slice(prefix.length)}
    : {time: 0, stream: 'status', app, text}
}

/** Splits chunks of text into lines, in batches. */
export async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let rest = ''
  for await (const text of texts) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    if (lines.length > 0) yield lines
  }
  if (rest !== '') yield [rest]
}

/** Decodes UTF-8 bytes that are held as latin1. */
export const decoded = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- most lines are ASCII
  /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'latin1').toString()

export interface LineForm {
  readonly asJson: boolean
  readonly hasTimes: boolean
  readonly isTerminal: boolean
  /** What stands before the lines of an app; latin1. */
  readonly prefixOf: (app: string) => string
}

/** Formats a line for output, with its newline; latin1. */
export function printed(
  {time, stream, app, text}: LogLine,
  {asJson, hasTimes, isTerminal, prefixOf}: LineForm
): string {
  if (asJson) {
    const shown = {
      time: time === 0 ? null : new Date(time).toISOString(),
      app,
      stream: stream === '-' ? null : stream,
      line: decoded(text).replace(/\r$/, '')
    }
    return asBytes(`${JSON.stringify(shown)}\n`)
  }
  const prefix = stream === 'status' ? '' : prefixOf(app)
  const line = isTerminal ? terminalText(`${text}\n`, prefix === '' ? undefined : `\r${prefix}`) : `${text}\n`
  return `${hasTimes ? timeColumn(time) : ''}${prefix}${line}`
}

const NO_TIME = ' '.repeat('2006-01-02 15:04:05.000 '.length)
let last = {time: 0, column: NO_TIME}

/** `2006-01-02 15:04:05.000 `, local time, as `--since` accepts it. Cached: many lines have the same time. */
function timeColumn(time: number): string {
  if (time !== last.time) {
    const at = new Date(time)
    const local = new Date(time - at.getTimezoneOffset() * 60_000).toISOString()
    last = {time, column: `${local.slice(0, 10)} ${local.slice(11, 23)} `}
  }
  return last.column
}
