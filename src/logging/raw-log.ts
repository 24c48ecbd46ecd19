import type {Lines} from '../model/events.ts'
import type {AppLog, SidecarLog} from './app-log.ts'
import {Memory} from './log-memory.ts'
import {linesIn, withoutColours} from './prefix.ts'
import type {RunLogWriter} from './run-log.ts'

/** Writes latin1 text. Returns a promise if the reader is slow; it settles when there is space again. */
export type Write = (text: string) => Promise<void> | undefined

export interface RawLogOptions {
  readonly out: Write
  readonly err: Write
  readonly keepsColours: boolean
  readonly runLog: RunLogWriter
}

/**
 * The logs of a single app: its bytes unchanged, stdout to stdout, stderr to stderr; with a slow reader the app waits. There
 * are no files: the last lines are kept in memory for `logs`. The CLI prints status lines, and the sidecar has no log.
 */
export function rawLogs({out, err, keepsColours, runLog}: RawLogOptions): {app: AppLog; sidecar: SidecarLog} {
  const memory = new Memory()
  const writers = {stdout: {prefix: ''}, stderr: {prefix: ''}}
  const sink = ({stream, text}: Lines): Promise<void> | undefined => {
    if (stream === 'status') return undefined
    const bare = withoutColours(text)
    memory.write({writer: writers[stream], text: bare})
    runLog.write(stream, text, linesIn(bare))
    return (stream === 'stderr' ? err : out)(keepsColours ? text : bare)
  }
  const close = async (): Promise<void> => {
    runLog.end()
    return memory.close()
  }
  const nothing = {path: '', close: async () => Promise.resolve()}
  return {
    app: {path: '', sink, record: memory, runLog, close},
    sidecar: {...nothing, isWriting: false, say: () => undefined, log: () => undefined, write: () => undefined}
  }
}
