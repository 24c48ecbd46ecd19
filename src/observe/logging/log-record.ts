import type {LogsQuery} from '../../control/run-control.ts'
import type {WholeLines} from './open-line.ts'

/** The log of an app as other terminals read it during the run. Text is latin1, one character for each byte. */
export interface LogRecord {
  /** Number of characters written so far. */
  readonly length: number
  /** Gives the offset at which the next text begins. */
  readonly lines: Pick<WholeLines, 'placeAt'>
  /** Whether a part of the log waits for the disk. */
  readonly isWriting: boolean
  /** Yields the characters `from` to `to` in pieces. Begins later if the beginning was removed. */
  read(from: number, to: number): AsyncIterable<string>
  /** Returns the offset of the last `count` lines before `end`. */
  startOfLast(count: number, end: number): Promise<number>
  /** Returns the offset of the text since a time (ms since 1970), or `length` (`Times`). */
  startSince(time: number): number
  /** Passes new text to `take` until the returned function is called. */
  tap(take: (text: string) => void): () => void
  /** Aborted when the log is complete. */
  readonly closed: AbortSignal
}

export interface LogQuery extends Omit<LogsQuery, 'version'> {
  /** Aborted when the reader has left. */
  readonly gone: AbortSignal
}

/** Reads the present content of a log: an app may write faster than this reads. To follow an app, use `readRunLog`. */
export async function* readLog(
  record: LogRecord,
  {tail, since}: Pick<LogQuery, 'tail' | 'since'>
): AsyncGenerator<string> {
  const end = record.length
  const first = since > 0 ? record.startSince(since) : 0
  yield* record.read(tail < 0 ? first : Math.max(first, await record.startOfLast(tail, end)), end)
}
