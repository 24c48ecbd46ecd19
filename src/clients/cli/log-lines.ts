import type {GivenFlags} from './given-flags.ts'
import {UsageError} from './command-handler.ts'
import {terminalText} from '../../observe/logging/terminal-text.ts'
import type {LogLine} from '../../observe/logging/headed-lines.ts'
import type {LogsQuery} from '../../control/run-control.ts'
import {asBytes, decoded} from '../../model/bytes.ts'
import {messageOf} from '../../model/errors.ts'

/** The options of `logs`. */
export interface LogsWanted extends Pick<LogsQuery, 'tail' | 'since' | 'isFollowed'> {
  /** Empty: every app of the run. */
  readonly ids: readonly string[]
  readonly version: string
  /** Name of the run, if lines of several runs are shown; else empty. */
  readonly run: string
  readonly hasTimes: boolean
  readonly grep: RegExp | undefined
  readonly asJson: boolean
}

/** `--tail`; Infinity: all lines. Throws a UsageError. */
export function tailOf(flags: GivenFlags): number {
  const tail = flags.int('tail') ?? Infinity
  if (tail >= 0) return tail
  throw new UsageError(`invalid argument "${tail}" for "--tail" flag: expected a number of lines (0 or more) or "all"`)
}

interface LineForm {
  readonly asJson: boolean
  readonly hasTimes: boolean
  readonly isTerminal: boolean
  /** The prefix of the lines of an app; latin1. */
  readonly prefixOf: (app: string) => string
  /** The run, as in `LogsWanted`. */
  readonly run: string
}

/** Returns the name of an app, after that of its run if lines of several runs are shown. */
export const inRun = (run: string, app: string): string => (run === '' ? app : `${run}/${app}`)

/** Formats a line for output, with its newline; latin1. */
export function printed(
  {time, stream, app, text}: LogLine,
  {asJson, hasTimes, isTerminal, prefixOf, run}: LineForm
): string {
  if (asJson) {
    const shown = {
      time: time === 0 ? null : new Date(time).toISOString(),
      ...(run !== '' && {run}),
      app,
      stream: stream === '-' ? null : stream,
      line: decoded(text).replace(/\r$/, '')
    }
    return asBytes(`${JSON.stringify(shown)}\n`)
  }
  const prefix = stream === 'status' ? '' : prefixOf(inRun(run, app))
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

/** Compiles the pattern of `--grep`. Throws a UsageError if it is invalid. */
export function grepOf(pattern: string): RegExp {
  try {
    return new RegExp(pattern)
  } catch (error) {
    const why = messageOf(error).replace(/^Invalid regular expression: /, '')
    throw new UsageError(`invalid argument "${pattern}" for "--grep" flag: ${why}`)
  }
}
