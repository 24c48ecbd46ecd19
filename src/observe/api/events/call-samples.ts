import type * as Api from '../../../model/api.generated.ts'
import {contentOf} from '../../telemetry/recorder/call-content.ts'
import {FLAG, isFailed, type CallLine} from '../../telemetry/recorder/call-lines.ts'
import type {CallRecorder} from '../../telemetry/recorder/call-recorder.ts'
import type {Edge} from '../../telemetry/recorder/edges.ts'
import type {Masking} from '../../telemetry/recorder/masking.ts'
import {rowOf} from '../call-view.ts'

/** Rows of a batch, and how many of them are reserved for unusual calls. */
const MAX_ROWS = 200
const MAX_STRIKING = 120
/** Maximum number of latest calls to look at: more would delay calls. */
const MAX_READ = 2000

/**
 * Returns some of the ended calls, for people: first failed, waiting, faulted and slow ones (above the 95th percentile of their edge), then the latest. `app`: only calls from or to this one; '' = all.
 */
export function sampleCalls(
  recorder: CallRecorder,
  ended: readonly number[],
  {app, masking}: {readonly app: string; readonly masking: Masking}
): Api.CallSample {
  const slow = new Map<Edge, number>()
  const isStriking = (line: CallLine, edge: Edge): boolean => {
    if (isFailed(line) || (line.flags & (FLAG.waited | FLAG.fault)) !== 0) return true
    const p95 = slow.get(edge) ?? edge.latency.percentile(0.95)
    slow.set(edge, p95)
    return line.totalMs > p95
  }
  const striking: number[] = []
  const plain: number[] = []
  let others = 0
  for (const number of ended.slice(-MAX_READ).toReversed()) {
    const line = recorder.line(number)
    if (line === undefined) continue
    const edge = line.edgeOf
    if (app !== '' && edge.caller !== app && edge.callee !== app) others++
    else if (striking.length < MAX_STRIKING && isStriking(line, edge)) striking.push(number)
    else if (plain.length < MAX_ROWS) plain.push(number)
  }
  const chosen = [...striking, ...plain.slice(0, MAX_ROWS - striking.length)].toSorted((a, b) => a - b)
  const calls = chosen.flatMap(number => {
    const call = recorder.call(number)
    return call === undefined ? [] : [rowOf(call, contentOf(call), masking)]
  })
  return {calls, notShown: ended.length - others - calls.length}
}
