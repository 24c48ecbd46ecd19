import type * as Api from '../../../model/api.generated.ts'
import {decoded} from '../../../model/bytes.ts'
import type {LogBatch, RunLog} from '../../logging/run-log.ts'
import {isOfApp, lineView} from '../line-view.ts'
import type {Turns} from '../turns.ts'

/** A span of time in which an app had something to do, by `performance.now()`. */
export interface Busy {
  readonly node: number
  readonly app: string
  readonly from: number
  readonly until: number
}

/** A line comes by a pipe: after an answer that was written later, too. */
const LATE_MS = 5
/** Mostly no later than this. */
const MOSTLY_LATE_MS = 2
/** Maximum number of lines in one tree. */
const MAX_LINES = 1000
/** Characters of one line. */
const MAX_LINE = 2000

/**
 * The lines that apps wrote while they worked for a request, the oldest first, each with the latest begin of its app.
 * `elsewhere`: the work of apps for other requests, which may have caused a line as well. Takes short turns.
 */
export async function linesBetween(
  log: Pick<RunLog, 'latest'>,
  busy: readonly Busy[],
  elsewhere: readonly Busy[],
  turns: Turns
): Promise<{readonly lines: readonly Api.TreeLine[]; readonly linesLeftOut: number}> {
  const from = Math.min(...busy.map(each => each.from))
  const until = Math.max(...busy.map(each => each.until)) + LATE_MS
  const found: Api.TreeLine[] = []
  let linesLeftOut = 0
  for (const batch of log.latest()) {
    await turns.next()
    if (batch.at < from) break
    const during = batch.at > until ? undefined : atThatTime(batch, busy)
    if (during === undefined) continue
    const others = elsewhere.filter(each => isWithin(batch, each, MOSTLY_LATE_MS)).length
    const lines = linesOf(batch).map(line => ({node: during.node, others, line}))
    const room = Math.max(0, MAX_LINES - found.length)
    linesLeftOut += Math.max(0, lines.length - room)
    found.push(...lines.toReversed().slice(0, room))
  }
  return {lines: found.toReversed(), linesLeftOut}
}

const isWithin = ({at, writer}: LogBatch, {app, from, until}: Busy, lateMs: number): boolean =>
  at >= from && at <= until + lateMs && isOfApp(writer.name, app)

/** The latest of the things that an app was doing, or had just done. */
function atThatTime(batch: LogBatch, busy: readonly Busy[]): Busy | undefined {
  for (const lateMs of [0, LATE_MS]) {
    const [latest] = busy.filter(each => isWithin(batch, each, lateMs)).toSorted((a, b) => b.from - a.from)
    if (latest !== undefined) return latest
  }
  return undefined
}

const linesOf = ({writer, stream, time, coloured}: LogBatch): readonly Api.Line[] =>
  coloured
    .split('\n')
    .slice(0, -1)
    .map(text => lineView({time, app: writer.name, stream}, decoded(text).replace(/\r$/, '').slice(0, MAX_LINE)))
