import {setImmediate as turn} from 'node:timers/promises'
import {aborted} from '../../platform/delay.ts'
import {Follower} from './follower.ts'
import {startOfLastLines} from './log-memory.ts'
import type {LogRecord, LogQuery} from './log-record.ts'
import {appPrefix, linesIn, prefixed} from '../../model/text-lines.ts'
import type {LogBatch, RunLog, RunLogWriter} from './run-log.ts'

/** An app whose lines are read: its part of the run log in memory, and its complete log. */
export interface ReadApp {
  readonly writer: RunLogWriter
  readonly record: LogRecord
}

/** Apps that join while lines are followed. */
interface LaterApps {
  /** Whether lines of a writer are wanted; not called again once they are. */
  readonly isMeant: (writer: RunLogWriter) => boolean
  /** Resolves with the apps once no app is about to be opened. */
  readonly next: () => Promise<readonly ReadApp[]>
}

/** Reading yields to the event loop after this many characters. */
const TURN_SIZE = 64 * 1024

/** Maximum characters of new lines that wait while older ones are read, which may take long. */
const MAX_MEANWHILE = 16 * 1024 * 1024

/** Returns the head of each line for a reader: time (0: unknown), stream and app, each followed by a space. */
const head = (time: number, stream: string, name: string): string => `${time} ${stream} ${encodeURIComponent(name)} `

const headed = ({writer, stream, time}: LogBatch, text: string): string =>
  prefixed(text, head(time, stream, writer.name))

/**
 * Reads the lines of several apps of a run, each with its `head`. First come lines that are only in files, app by app, then the lines in
 * memory in order. With `isFollowed` an empty line and new lines follow. Apps never wait for the reader.
 */
export async function* readRunLog(
  log: RunLog,
  apps: readonly ReadApp[],
  {tail, since, isFollowed, isColoured = false, before = Infinity, gone}: LogQuery,
  {isMeant, next}: LaterApps = {isMeant: () => false, next: async () => []}
): AsyncGenerator<string> {
  const textOf = ({text, coloured}: LogBatch): string => (isColoured ? coloured : text)
  const writers = new Map(
    apps.map(({writer, record}) => [writer, {name: writer.name, record, end: record.length, isCut: writer.isOpen}])
  )
  // the wanted writers: an edit of the template, or another main version, may add some
  const known = new Set(writers.keys())
  const follower = new Follower(undefined, MAX_MEANWHILE)
  // `tap` and `latest` in one turn of the event loop miss no line between stored and new lines
  const callOff = log.tap(batch => {
    if (!isFollowed) return
    if (!known.has(batch.writer) && isMeant(batch.writer)) known.add(batch.writer)
    if (known.has(batch.writer)) follower.take(headed(batch, textOf(batch)))
  })
  const latest = log.latest()
  const stop = (): void => follower.end()
  gone.addEventListener('abort', stop, {once: true})
  try {
    const memory = await readMemory(latest, writers, {tail, since, before, gone}, textOf)
    if (gone.aborted) return
    yield* readOlder([...writers.values()], {missing: memory.missing, since})
    yield* memory.texts
    if (!isFollowed) return
    yield '\n' // an empty line: all lines after it are new
    void areClosed(apps, next, gone).then(stop)
    for (let text = await follower.next(); text !== undefined; text = await follower.next()) yield text
  } finally {
    gone.removeEventListener('abort', stop)
    callOff()
    follower.leave()
  }
}

/** Settles when these apps have ended for good. An edit of the template opens its closed apps again. */
async function areClosed(apps: readonly ReadApp[], next: LaterApps['next'], gone: AbortSignal): Promise<void> {
  // `gone` ends the listeners of a reader that has left: the logs live as long as the run
  await Promise.all(apps.map(async ({record}) => aborted(record.closed, {signal: gone})))
  const others = await next()
  const isKnown = ({record}: ReadApp): boolean => apps.some(each => each.record === record)
  if (!others.every(isKnown)) await areClosed(others, next, gone)
}

/**
 * Reads the wanted lines of these apps from the latest batch backwards. Returns the number of missing older lines, and sets their end in
 * each app's log. Stops early if the reader has left.
 */
async function readMemory(
  latest: Iterable<LogBatch>,
  writers: ReadonlyMap<RunLogWriter, Older>,
  {tail, since, before, gone}: Required<Omit<LogQuery, 'isFollowed' | 'isColoured'>>,
  textOf: (batch: LogBatch) => string
): Promise<{readonly texts: readonly string[]; readonly missing: number}> {
  const found: (Pick<LogBatch, 'writer' | 'place' | 'text'> & {readonly lines: number})[] = []
  let missing = tail < 0 ? Infinity : tail
  let size = 0
  for (const batch of latest) {
    if (batch.time < since) missing = 0
    if (missing === 0 || gone.aborted) break
    const older = writers.get(batch.writer)
    if (older === undefined) continue
    // a failed write has shortened the log: the latest place is not always the highest one
    older.end = Math.min(older.end, batch.place)
    older.isCut = true
    if (batch.number >= before) continue
    const [lines, text] = [linesIn(batch.text), textOf(batch)]
    const shown = headed(batch, lines > missing ? text.slice(startOfLastLines(text, missing)) : text)
    found.push({...batch, lines, text: shown})
    missing = Math.max(0, missing - lines)
    size += batch.text.length
    if (size > TURN_SIZE) size = await turn(0)
  }
  // lines that were written during an open line are in another order in the app's log, up to the next known place
  const begun = new Set<RunLogWriter>()
  const isSure = ({writer, place}: (typeof found)[number]): boolean =>
    missing === 0 || begun.has(writer) || (place < Infinity && begun.add(writer).size > 0)
  const {sure = [], unsure = []} = Object.groupBy(found.toReversed(), each => (isSure(each) ? 'sure' : 'unsure'))
  return {texts: sure.map(({text}) => text), missing: unsure.reduce((sum, {lines}) => sum + lines, missing)}
}

interface Older {
  readonly name: string
  readonly record: LogRecord
  /** Offset in the app's log at which the lines in memory begin. */
  end: number
  /** Whether `end` may be within a line: the line is in memory, or is not complete yet. */
  isCut: boolean
}

/** Yields at most `missing` lines that are no longer in memory. */
async function* readOlder(
  apps: readonly Older[],
  {missing, since}: {readonly missing: number; readonly since: number}
): AsyncGenerator<string> {
  const parts: (Older & {readonly from: number})[] = []
  let left = missing
  for (const app of apps.toReversed()) {
    if (left === 0) break
    const {record} = app
    const end = app.isCut ? await startOfLine(record, app.end) : app.end
    const first = since > 0 ? record.startSince(since) : 0
    const from = left === Infinity ? first : Math.max(first, await record.startOfLast(left, end))
    if (from >= end) continue
    parts.unshift({...app, from, end})
    if (left < Infinity) for await (const text of record.read(from, end)) left = Math.max(0, left - linesIn(text))
  }
  for (const {name, record, from, end} of parts) yield* headedPart(name, record.read(from, end))
}

/** Returns the start of the line that contains a place. */
async function startOfLine(record: LogRecord, place: number): Promise<number> {
  for await (const text of record.read(place - 1, place)) if (text.endsWith('\n')) return place
  return record.startOfLast(1, place)
}

/** Yields lines of an app without times, each with its `head`. */
export async function* headedPart(name: string, texts: AsyncIterable<string>): AsyncGenerator<string> {
  const before = head(0, '-', name)
  let rest = ''
  for await (const text of texts) {
    const end = text.lastIndexOf('\n') + 1
    if (end > 0) yield prefixed(rest + text.slice(0, end), before)
    rest = end > 0 ? text.slice(end) : rest + text
  }
  if (rest !== '') yield prefixed(`${rest}\n`, before)
}

/** Yields lines as in a log file: with the prefix of their app in place of the head, or without a prefix for a single app. */
export async function* withoutHeads(texts: AsyncIterable<string>, hasPrefixes: boolean): AsyncGenerator<string> {
  for await (const text of texts) {
    if (text === '\n') continue
    yield text.replaceAll(HEADS, (_, begin: string, stream: string, name: string) =>
      stream === '-' || stream === 'status' || !hasPrefixes ? begin : begin + appPrefix(decodeURIComponent(name))
    )
  }
}

/** Heads of lines. With the flag `m`, `^` would match behind a carriage return, too. */
const HEADS = /(^|\n)\d+ (\S+) (\S+) /g
