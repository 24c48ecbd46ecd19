import type {LogsQuery} from '../../control/run-control.ts'
import {Follower} from './follower.ts'

/** The log of an app as other terminals read it during the run. Text is latin1, one character for each byte. */
export interface LogRecord {
  /** Number of characters written so far. */
  readonly length: number
  /** Part of it waits to be written to a disk. */
  readonly isWriting: boolean
  /** Reads the characters `from` to `to`, in pieces; begins later if the beginning is no longer kept. */
  read(from: number, to: number): AsyncIterable<string>
  /** The offset at which the last `count` lines before `end` begin. */
  startOfLast(count: number, end: number): Promise<number>
  /** The offset of the text since a time (ms since 1970); `length` if there is none (`Times`). */
  startSince(time: number): number
  /** Passes new text to `take` until the returned function is called. */
  tap(take: (text: string) => void): () => void
  /** Settles when the log is complete. */
  readonly closed: Promise<void>
}

export interface LogQuery extends Omit<LogsQuery, 'version'> {
  /** Aborted when the reader has left. */
  readonly gone: AbortSignal
}

/** A reader this close to the end switches from stored text to new text. */
const NEAR = 64 * 1024

/**
 * Reads a log: the stored text, and with `isFollowed` new text until the log ends, each line once and in order. The app
 * never waits for the reader: if it is slow, the oldest lines are dropped and a notice says how many.
 */
export async function* readLog(record: LogRecord, {tail, since, isFollowed, gone}: LogQuery): AsyncGenerator<string> {
  const end = record.length
  const first = since > 0 ? record.startSince(since) : 0
  let at = tail < 0 ? first : Math.max(first, await record.startOfLast(tail, end))
  // an app may write faster than it is read
  if (!isFollowed) {
    yield* record.read(at, end)
    return
  }
  while (!gone.aborted && record.length - at > NEAR) {
    const {length} = record
    yield* record.read(at, length)
    at = length
  }
  const follower = new Follower()
  const callOff = record.tap(text => follower.take(text)) // in the same turn as reading `length`, so that no text is missed
  const {length} = record
  try {
    if (length > at && !gone.aborted) yield* record.read(at, length)
    void record.closed.then(() => follower.end())
    gone.addEventListener('abort', () => follower.end(), {once: true})
    if (gone.aborted) return
    for (let text = await follower.next(); text !== undefined; text = await follower.next()) yield text
  } finally {
    callOff()
    follower.leave()
  }
}
