import type * as Api from '../../model/api.generated.ts'
import {callEndText} from '../../model/call-end.ts'
import {wallTime} from '../../platform/wall-time.ts'
import {contentOf} from '../telemetry/recorder/call-content.ts'
import {FLAG, isFailed} from '../telemetry/recorder/call-lines.ts'
import type {CallRecorder, LineOfCall} from '../telemetry/recorder/call-recorder.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'
import {rowOf} from './call-view.ts'

export interface FailedCalls {
  /** The app that failed: the callee of the innermost calls. */
  readonly to: string
  readonly edges: Api.Trouble['failed']
  readonly count: number
  /** All calls of the last minute to this callee, and the failed ones among them. */
  readonly recent: {readonly calls: number; readonly failed: number}
  /** How many calls of the last minute to this callee failed by an injected fault. */
  readonly faulty: number
  readonly latest: {readonly at: string; readonly failure: string; readonly request: Api.Trouble['request']}
}

/** Maximum number of calls to read: more would delay calls. */
const MAX_READ = 4000
/** Maximum number of calls of one app that are searched for a cause. */
const MAX_SEARCHED = 500
const MAX_EDGES = 5
const MINUTE_MS = 60_000

/** Groups the failed calls of the last minute, or since a time (ms since 1970), by their cause: the innermost failed call. */
export function failuresOf(
  recorder: CallRecorder,
  {masking, since, now = performance.now()}: {masking: Masking; since: number; now?: number}
): readonly FailedCalls[] {
  const oldest = Math.min(now - MINUTE_MS, now - (wallTime.of(now) - since))
  const recent = recorder.edges.recentCalls(now)
  const faulty = new Map<string, number>()
  const failed: LineOfCall[] = []
  for (const number of recorder.numbers().slice(0, MAX_READ)) {
    const line = recorder.line(number)
    if (line === undefined || !isFailed(line) || (line.flags & (FLAG.open | FLAG.replay)) !== 0) continue
    const {edgeOf: edge} = line
    if (line.startedAt + line.totalMs < oldest || edge.callee === '') continue
    if ((line.flags & FLAG.fault) !== 0 && line.startedAt + line.totalMs >= now - MINUTE_MS)
      faulty.set(edge.callee, (faulty.get(edge.callee) ?? 0) + 1)
    failed.push(line)
  }
  const byCaller = Map.groupBy(failed, ({edgeOf}) => edgeOf.caller)
  for (const [caller, calls] of byCaller) byCaller.set(caller, calls.slice(0, MAX_SEARCHED))
  return [...Map.groupBy(failed, each => causeOf(each, byCaller).edgeOf.callee)].map(([to, calls]) => ({
    to,
    edges: edgesOf(calls),
    count: calls.length,
    recent: recent.get(to) ?? {calls: 0, failed: 0},
    faulty: faulty.get(to) ?? 0,
    latest: latestOf(recorder, calls.find(({edgeOf}) => edgeOf.callee === to) ?? calls[0], masking)
  }))
}

/** Returns the innermost failed call that was made during this call. */
function causeOf(outer: LineOfCall, byCaller: ReadonlyMap<string, readonly LineOfCall[]>, depth = 0): LineOfCall {
  const inner = byCaller
    .get(outer.edgeOf.callee)
    ?.find(
      line =>
        line !== outer &&
        line.startedAt >= outer.startedAt &&
        line.startedAt + line.totalMs <= outer.startedAt + outer.totalMs
    )
  return inner === undefined || depth > 8 ? outer : causeOf(inner, byCaller, depth + 1)
}

/** Returns the pairs of apps with the most failed calls. */
function edgesOf(calls: readonly LineOfCall[]): Api.Trouble['failed'] {
  return [...Map.groupBy(calls, ({edgeOf}) => edgeOf)]
    .map(([{caller, callee}, {length}]) => ({from: caller, to: callee, calls: length}))
    .toSorted((a, b) => b.calls - a.calls)
    .slice(0, MAX_EDGES)
}

function latestOf(recorder: CallRecorder, latest: LineOfCall | undefined, masking: Masking): FailedCalls['latest'] {
  const call = latest === undefined ? undefined : recorder.call(latest.number)
  if (call === undefined) return {at: new Date().toISOString(), failure: '', request: null}
  const row = rowOf(call, contentOf(call), masking)
  const {number, at, from, method, path, totalMs: ms, failure} = row
  return {at, failure, request: {number, from, method, path, ms, status: callEndText(row)}}
}
