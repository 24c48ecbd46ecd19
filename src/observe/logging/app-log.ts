/**
 * observe/logging/ writes lines to log files and to the console. No line is lost without a notice, lines are never mixed,
 * memory stays bounded however slow disk and reader are (a fast writer has to wait), and a file that cannot be
 * written causes one warning and nothing else.
 *
 * This file creates the two logs of an app, its own and its sidecar's, by the rules of Dapr's `appLogDestination` and
 * `daprdLogDestination`.
 */
import type {Lines, Sink} from '../../model/events.ts'
import type {LogEntry} from '../../model/log-entry.ts'
import {type LogLevel, type LogPlan, writesAt} from '../../model/plan.ts'
import {terminalText, TerminalText} from './terminal-text.ts'
import type {Console, ConsoleWriter} from './console.ts'
import {createLogFile, type LogFile, type Warn} from './log-file.ts'
import {Memory} from './log-memory.ts'
import type {Writer} from './open-line.ts'
import {appPrefix, linesIn, prefixed, withoutColours} from '../../model/text-lines.ts'
import {asBytes, decoded} from '../../model/bytes.ts'
import type {LogRecord} from './log-record.ts'
import type {RunLogWriter} from './run-log.ts'
import {sidecarLine, type LineSource, plainly, type StatusLine, withSign} from './status-lines.ts'

/** How the console shows the lines of apps; may change during the run. Log files are not affected. */
export interface ConsoleView {
  /** Whether lines of this app are shown; `name` is the name in its prefix. */
  shows(name: string): boolean
  /** Whether Dapr's lines about processes are only in the files: they mean little to a person who watches. */
  readonly hidesStatus: boolean
  /** Returns the text before the prefix of a line that is written now, latin1: the time, or an empty text. */
  stamp(): string
}

/** An app's own log. */
export interface AppLog {
  /** Name of the app in the prefix of its lines, the same over all versions. */
  readonly name: string
  /** Receives the lines of the app; status lines get no prefix. */
  readonly sink: Sink
  /** The absolute path of the file; empty if there is none. */
  readonly path: string
  /** The readable part of the log: the file, or the lines kept in memory. */
  readonly record: LogRecord
  /** The app's writer in the log of the run. */
  readonly runLog: RunLogWriter
  /** Settles when everything is written to the file. */
  close(): Promise<void>
}

/** The log of an app's sidecar. Writing never waits, so that logging does not slow down calls. Lines of one call are written together. */
export interface SidecarLog {
  say(...lines: readonly StatusLine[]): void
  /** Writes lines of the sidecar itself, except those below the minimum level of the log. */
  log(...entries: readonly LogEntry[]): void
  /** Writes text in free form: whole lines, latin1. */
  write(text: string, level: LogLevel): void
  /** Whether lines wait to be written to the file. */
  readonly isWriting: boolean
  readonly path: string
  close(): Promise<void>
}

export interface AppLogsOptions {
  readonly id: string
  readonly plan: LogPlan
  /** Minimum level of the sidecar's own lines; lines of Dapr's CLI have no level. */
  readonly level: LogLevel
  /** The source of the sidecar's own lines. */
  readonly source: LineSource
  /** Whether the app has a command, and so a log file. */
  readonly hasCommand: boolean
  readonly startedAt: Date
  readonly console: Console
  /** The prefix of the app's lines on the console, latin1, possibly coloured. Default: `== APP - <id> == `. */
  readonly consolePrefix?: string
  /** Omitted: all lines are shown, without more than their prefix. */
  readonly view?: ConsoleView | undefined
  /** Whether the console is a terminal, which gets the colours of the app and makes other control characters visible. Files get neither. */
  readonly isTerminal: boolean
  readonly runLog: RunLogWriter
  readonly warn: Warn
}

/** Opens both logs of an app, once per run. If a file cannot be created, a warning says so and the log has no file. */
export async function openAppLogs(options: AppLogsOptions): Promise<{app: AppLog; sidecar: SidecarLog}> {
  const {id, plan, startedAt, hasCommand} = options
  const said = new Set<string>() // both files may fail for one reason, which is reported once
  const warn = (text: string): void => {
    if (!said.has(text)) options.warn(text)
    said.add(text)
  }
  const place = {folder: plan.folder, id, startedAt, size: plan.size, warn}
  const [appFile, sidecarFile] = await Promise.all([
    plan.app === 'console' || !hasCommand ? undefined : createLogFile({...place, kind: 'app'}),
    plan.sidecar === 'console' ? undefined : createLogFile({...place, kind: 'daprd'})
  ])
  return {app: appLog(options, appFile), sidecar: sidecarLog(options, sidecarFile)}
}

/** Makes a value per stream: a line of one stream never continues a line of another. */
const forStreams = <T>(prefix: string, make: (prefix: string) => T): Record<Lines['stream'], T> => ({
  stdout: make(prefix),
  stderr: make(prefix),
  status: make('')
})

function appLog(options: AppLogsOptions, file: LogFile | undefined): AppLog {
  const {id, plan, isTerminal, runLog, view} = options
  const filePrefix = appPrefix(id)
  const consolePrefix = options.consolePrefix ?? filePrefix
  const console = plan.app === 'file' ? undefined : options.console
  const whenStuck = (): 'kept' | 'wait' => (file?.isOpen === true ? 'kept' : 'wait')
  const record = file ?? new Memory()
  const inFile = forStreams<Writer>(filePrefix, prefix => ({prefix}))
  const onConsole = forStreams(consolePrefix, prefix => ({prefix, whenStuck, bare: prefix}))
  const onTerminal = isTerminal ? forStreams(consolePrefix, prefix => new TerminalText(prefix)) : undefined

  const sink: Sink = ({stream, text}) => {
    const bare = withoutColours(text)
    const isShown =
      console !== undefined && (view === undefined || (view.shows(id) && !(view.hidesStatus && stream === 'status')))
    const shown = isShown ? (onTerminal?.[stream].push(text) ?? bare) : bare
    const {prefix} = inFile[stream]
    const kept = prefixed(bare, prefix)
    const lines = prefix === '' ? linesIn(bare) : (kept.length - bare.length) / prefix.length
    runLog.write(stream, text, lines, record.lines.placeAt(record.length))
    const fileWaits = record.write({writer: inFile[stream], text: kept})
    if (!isShown) return fileWaits
    const writer = onConsole[stream]
    if (view !== undefined && writer.bare !== '') writer.prefix = view.stamp() + writer.bare
    const isSame = shown === bare && prefix === writer.prefix
    const consoleWaits = console.write({writer, text: isSame ? kept : prefixed(shown, writer.prefix)})
    return bothOf(fileWaits, consoleWaits)
  }
  const close = async (): Promise<void> => {
    runLog.end(record.lines.placeAt(record.length))
    return record.close()
  }
  return {name: id, sink, path: file?.path ?? '', record, runLog, close}
}

function bothOf(a: Promise<void> | undefined, b: Promise<void> | undefined): Promise<void> | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Promise.all([a, b]).then(() => undefined)
}

function sidecarLog(options: AppLogsOptions, file: LogFile | undefined): SidecarLog {
  const {plan, level: least, console, isTerminal, source} = options
  const inFile: Writer = {prefix: ''}
  const onConsole: ConsoleWriter = {prefix: '', whenStuck: () => (file?.isOpen === true ? 'kept' : 'lost')}
  const put = (text: string): void => {
    void file?.write({writer: inFile, text})
    if (plan.sidecar === 'file') return
    void console.write({writer: onConsole, text: isTerminal ? terminalText(text) : text})
  }
  const log = (...entries: readonly LogEntry[]): void => {
    const at = new Date()
    let text = ''
    for (const entry of entries) if (writesAt(least, entry.level)) text += `${sidecarLine(entry, source, at)}\n`
    if (text !== '') put(asBytes(text))
  }
  return {
    log,
    write: (text, level) => {
      if (source.isJson) log({level, message: decoded(text).trimEnd(), scope: 'dapr.runtime'})
      else if (writesAt(least, level)) put(text)
    },
    say: (...lines) => put(lines.map(plan.sidecar === 'console' ? withSign : plainly).join('')),
    get isWriting() {
      return file?.isWriting === true
    },
    path: file?.path ?? '',
    close: async () => file?.close()
  }
}
