import type {Lines} from '../../model/events.ts'
import type {LogEntry} from '../../model/log-entry.ts'
import type {AppLog, SidecarLog} from './app-log.ts'
import {Memory} from './log-memory.ts'
import {linesIn, withoutColours} from '../../model/text-lines.ts'
import {asBytes, decoded} from '../../model/bytes.ts'
import type {RunLogWriter} from './run-log.ts'
import {sidecarLine, type LineSource} from './status-lines.ts'

/** Writes latin1 text. Returns a promise for a slow reader, which settles when there is room. */
export type Write = (text: string) => Promise<void> | undefined

interface RawLogOptions {
  readonly out: Write
  readonly err: Write
  readonly keepsColours: boolean
  readonly runLog: RunLogWriter
  /** Whether a line of the sidecar is printed. */
  readonly shows: (entry: LogEntry) => boolean
  /** The source of the sidecar's own lines. */
  readonly source: LineSource
}

/**
 * Returns the logs of a single app: its bytes unchanged, stdout to stdout, stderr to stderr. The app waits for a slow reader. There are no files:
 * the last lines stay in memory for `logs`. The CLI prints status lines; lines of the sidecar go to stdout, as with Dapr, whose sidecar
 * inherits it.
 */
export function rawLogs(options: RawLogOptions): {app: AppLog; sidecar: SidecarLog} {
  const {out, err, keepsColours, runLog} = options
  const memory = new Memory()
  const writers = {stdout: {prefix: ''}, stderr: {prefix: ''}}
  const sink = ({stream, text}: Lines): Promise<void> | undefined => {
    if (stream === 'status') return undefined
    const bare = withoutColours(text)
    runLog.write(stream, text, linesIn(bare), memory.lines.placeAt(memory.length))
    memory.write({writer: writers[stream], text: bare})
    return (stream === 'stderr' ? err : out)(keepsColours ? text : bare)
  }
  const close = async (): Promise<void> => {
    runLog.end(memory.lines.placeAt(memory.length))
    return memory.close()
  }
  return {app: {name: '', path: '', sink, record: memory, runLog, close}, sidecar: printedLog(options)}
}

/**
 * Logs the sidecar on stdout. Calls do not wait for its reader: for a slow one, lines are dropped and counted. Lines of components that
 * open early follow the CLI's first line, "Starting Dapr …".
 */
function printedLog({out, shows, source}: RawLogOptions): SidecarLog {
  let early: string[] | undefined = []
  let dropped: number | undefined
  const print = (entry: LogEntry): void => {
    if (dropped !== undefined) return void dropped++
    const line = asBytes(`${sidecarLine(entry, source, new Date())}\n`)
    if (early !== undefined) return void early.push(line)
    const slow = out(line)
    if (slow === undefined) return
    dropped = 0
    void slow.then(goOn)
  }
  const goOn = (): void => {
    const message = `${dropped?.toString() ?? ''} lines of the sidecar were left out: stdout is read too slowly`
    const isAny = dropped !== 0
    dropped = undefined
    if (isAny) print({level: 'warn', message, scope: 'dapr.runtime'})
  }
  const log = (...entries: readonly LogEntry[]): void => {
    for (const entry of entries) if (shows(entry)) print(entry)
  }
  return {
    path: '',
    isWriting: false,
    say: () => {
      if (early !== undefined && early.length > 0) void out(early.join(''))
      early = undefined
    },
    log,
    write: (text, level) => log({level, message: decoded(text).trimEnd(), scope: 'dapr.runtime'}),
    close: async () => Promise.resolve()
  }
}
