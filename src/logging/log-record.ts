import {Follower} from './follower.ts'

/** What is kept of an app's log while its run processes, for those who read it from elsewhere. Text is latin1, as lines carry it. */
export interface LogRecord {
  /** Text that came so far, in characters. */
  readonly length: number
  /** What is kept from character `from` to `to`, in pieces; it may begin later, where the beginning is kept no more. */
  read(from: number, to: number): AsyncIterable<string>
  /** Where the last `count` of the lines before `end` begin. */
  startOfLast(count: number, end: number): Promise<number>
  /** Where that begins which came since a time in ms since 1970; `length` where nothing did (`Times`). */
  startSince(time: number): number
  /** Gives what comes from now on to `take`, until it is called off. */
  tap(take: (text: string) => void): () => void
  /** Settles when nothing more will come. */
  readonly closed: Promise<void>
}

export interface Reading {
  /** The last lines only; -1: all that is kept. */
  readonly tail: number
  /** ms since 1970, 0: whenever it came. */
  readonly since: number
  readonly isFollowed: boolean
  /** The reader has left. */
  readonly gone: AbortSignal
}

/** A reader who is so near to the end goes over from what is kept to what comes. */
const NEAR = 64 * 1024

/**
 * A log as it is read from elsewhere: what is kept, and with `isFollowed` what comes, each line once and in order, to the
 * end of the log. The app never waits for the reader: one who is slow loses the oldest lines and is told how many.
 */
export async function* readLog(record: LogRecord, {tail, since, isFollowed, gone}: Reading): AsyncGenerator<string> {
  const first = since > 0 ? record.startSince(since) : 0
  let at = tail < 0 ? first : Math.max(first, await record.startOfLast(tail, record.length))
  while (!gone.aborted && record.length - at > NEAR) {
    const {length} = record
    yield* record.read(at, length)
    at = length
  }
  const follower = new Follower()
  const callOff = record.tap(text => follower.take(text)) // in the same turn as `length` is read: nothing is lost between
  const {length} = record
  try {
    if (length > at && !gone.aborted) yield* record.read(at, length)
    if (!isFollowed) return
    void record.closed.then(() => follower.end())
    gone.addEventListener('abort', () => follower.end(), {once: true})
    if (gone.aborted) return
    for (let text = await follower.next(); text !== undefined; text = await follower.next()) yield text
  } finally {
    callOff()
    follower.leave()
  }
}
