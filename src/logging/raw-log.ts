import type {Lines} from '../model/events.ts'
import type {AppLog, SidecarLog} from './app-log.ts'
import {Memory} from './log-memory.ts'
import {withoutColours} from './prefix.ts'

/** Takes latin1 text. A promise: the reader is slow; it settles when there is module again. */
export type Write = (text: string) => Promise<void> | undefined

export interface RawLogOptions {
  readonly out: Write
  readonly err: Write
  readonly keepsColours: boolean
}

/**
 * The logs of a single app: its bytes as they come, stdout to stdout, stderr to stderr; a slow reader makes it wait. There
 * are no files: memory keeps the last lines, for who reads them from elsewhere. What is said about it is the terminal's to print, and its sidecar has no log.
 */
export function rawLogs({out, err, keepsColours}: RawLogOptions): {app: AppLog; sidecar: SidecarLog} {
  const memory = new Memory()
  const writers = {stdout: {prefix: ''}, stderr: {prefix: ''}}
  const sink = ({stream, text}: Lines): Promise<void> | undefined => {
    if (stream === 'status') return undefined
    memory.write({writer: writers[stream], text: withoutColours(text)})
    return (stream === 'stderr' ? err : out)(keepsColours ? text : withoutColours(text))
  }
  const nothing = {path: '', close: async () => Promise.resolve()}
  return {
    app: {path: '', sink, record: memory, close: async () => memory.close()},
    sidecar: {...nothing, say: () => undefined, write: () => undefined}
  }
}
