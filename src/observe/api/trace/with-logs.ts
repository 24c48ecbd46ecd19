import type * as Api from '../../../model/api.generated.ts'
import {withoutColours} from '../../../model/text-lines.ts'
import type {Masking} from '../../telemetry/recorder/masking.ts'
import {isOfApp, lineView} from '../line-view.ts'
import {exceptionText, thrownAt} from '../../../model/thrown-at.ts'
import {maskedException} from './span-view.ts'
import type {TreeLog} from './with-spans.ts'
import {decoded} from '../../../model/bytes.ts'
import type {LogBatch, RunLog} from '../../logging/run-log.ts'
import type {Turns} from '../turns.ts'

interface Lines {
  readonly lines: readonly Api.TreeLine[]
  readonly linesLeftOut: number
}

/** How far apart the times of a line and of its log record may be, in ms. */
const SAME_MS = 1000
/** Maximum number of first characters of a record that a line must contain. */
const MAX_SAME = 1000
/** Maximum number of lines in one tree. */
const MAX_LINES = 1000

/** Adds OpenTelemetry's log records to the lines that apps wrote. A record that an app also printed gives that line a place in the trace. */
export function withLogs({lines, linesLeftOut}: Lines, logs: readonly TreeLog[], masking: Masking): Lines {
  // of more logs only the latest are shown
  const latest = logs.toSorted((a, b) => a.log.at - b.log.at).slice(-MAX_LINES)
  const written = lines.map(({line}) => ({line, at: Date.parse(line.time ?? '')}))
  const records = new Map<number, Api.TreeLine>()
  const more: Api.TreeLine[] = []
  for (const {node, log} of latest) {
    const {app, at, severity, text} = log
    const first = (withoutColours(text).split('\n', 1)[0] ?? '').trim()
    // the line may contain the text as JSON, and only its beginning
    const ways = [first, JSON.stringify(first).slice(1, -1)].map(each => each.slice(0, MAX_SAME))
    const severe = levelOf(severity)
    const level = severe === undefined ? {} : {level: severe}
    const index = written.findIndex(
      (each, number) =>
        Math.abs(each.at - at) <= SAME_MS &&
        first !== '' &&
        isOfApp(each.line.app, app) &&
        !records.has(number) &&
        ways.some(way => each.line.line.includes(way))
    )
    const known = lines[index]
    if (known !== undefined) {
      records.set(index, {node, others: 0, line: {...known.line, ...level}})
      continue
    }
    const line = [masking.text(first), exceptionOf(log.exception, masking)].filter(word => word !== '').join(' – ')
    more.push({node, others: 0, line: {time: new Date(at).toISOString(), app, stream: null, line, ...level}})
  }
  const all = [...lines.map((line, index) => records.get(index) ?? line), ...more]
  const sorted = all.toSorted((a, b) => Date.parse(a.line.time ?? '') - Date.parse(b.line.time ?? ''))
  const leftOut = logs.length - latest.length + Math.max(0, sorted.length - MAX_LINES)
  return {lines: sorted.slice(-MAX_LINES), linesLeftOut: linesLeftOut + leftOut}
}

function exceptionOf(json: string, masking: Masking): string {
  if (json === '') return ''
  const exception = maskedException(JSON.parse(json) as Api.SpanException, masking)
  const place = thrownAt(exception)
  return `${exceptionText(exception)}${place === '' ? '' : ` (${place})`}`
}

/** Returns the level for a severity number of OpenTelemetry (logs.proto). */
const levelOf = (severity: number): Api.Line['level'] =>
  severity >= 17 ? 'error' : severity >= 13 ? 'warn' : severity >= 9 ? 'info' : severity > 0 ? 'debug' : undefined

/** A period in which an app was working, by `performance.now()`. */
export interface Busy {
  readonly node: number
  readonly app: string
  readonly from: number
  readonly until: number
}

/** Maximum delay of lines, in ms: a line arrives through a pipe, maybe after the response that its app sent later. */
const LATE_MS = 5
/** Usual delay of lines, in ms. */
const MOSTLY_LATE_MS = 2
/** Maximum number of lines that `linesBetween` returns. */
const MAX_BETWEEN = 1000
/** Maximum number of characters of a line. */
const MAX_LINE = 2000

/**
 * Returns the lines that apps wrote while they worked for a request, the oldest first, each with the node that its app began last.
 * `elsewhere`: other work of the apps, which may also have caused a line. Lets the event loop do other work in between.
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
    const room = Math.max(0, MAX_BETWEEN - found.length)
    linesLeftOut += Math.max(0, lines.length - room)
    found.push(...lines.toReversed().slice(0, room))
  }
  return {lines: found.toReversed(), linesLeftOut}
}

const isWithin = ({at, writer}: LogBatch, {app, from, until}: Busy, lateMs: number): boolean =>
  at >= from && at <= until + lateMs && isOfApp(writer.name, app)

/** Returns the work that the writer of lines had begun last, of its work under way at that time; without any, of its work just finished. */
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
