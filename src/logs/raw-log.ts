import type {Lines} from '../event.ts'
import type {AppLog, SidecarLog} from './app-log.ts'
import {withoutColours} from './prefix.ts'

/** Takes latin1 text. A promise: the reader is slow; it settles when there is room again. */
export type Write = (text: string) => Promise<void> | undefined

export interface RawLogOptions {
  readonly out: Write
  readonly err: Write
  readonly keepsColours: boolean
}

/**
 * The logs of a single app: its bytes as they come, stdout to stdout, stderr to stderr; a slow reader makes it wait. There
 * are no files. What is said about it is the terminal's to print, and its sidecar has no log.
 */
export function rawLogs({out, err, keepsColours}: RawLogOptions): {app: AppLog; sidecar: SidecarLog} {
  const sink = ({stream, text}: Lines): Promise<void> | undefined => {
    if (stream === 'status') return undefined
    return (stream === 'stderr' ? err : out)(keepsColours ? text : withoutColours(text))
  }
  const nothing = {path: '', close: async () => Promise.resolve()}
  return {app: {...nothing, sink}, sidecar: {...nothing, say: () => undefined, write: () => undefined}}
}
