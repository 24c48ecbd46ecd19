import type * as Api from '../../model/api.generated.ts'
import {FLAG, isFailed} from '../telemetry/recorder/call-lines.ts'
import type {CallRecorder} from '../telemetry/recorder/call-recorder.ts'
import {isoTime} from './call-view.ts'
import {Turns} from './turns.ts'
import {usageOf} from '../../platform/usage.ts'

const SPANS = 60
const SECONDS = 5

/**
 * Returns the calls of the last five minutes to each app, by their end. A busy run keeps less: the time before is omitted rather than
 * shown as calm. Lets other work run in between.
 */
export async function recentTraffic(recorder: CallRecorder, now = performance.now()): Promise<Api.Traffic> {
  const found = new Map<string, {calls: number[]; failed: number[]}>()
  const turns = new Turns(() => recorder.last)
  const numbers = recorder.numbers()
  for (const number of numbers) {
    await turns.next()
    const line = recorder.line(number)
    if (line === undefined || (line.flags & (FLAG.open | FLAG.replay)) !== 0) continue
    const span = spanOf(line.startedAt + line.totalMs, now)
    if (span < 0 || span >= SPANS) continue
    const {callee} = line.edgeOf
    const sums = found.get(callee) ?? {calls: empty(), failed: empty()}
    found.set(callee, sums)
    const at = SPANS - 1 - span
    sums.calls[at] = (sums.calls[at] ?? 0) + 1
    if (isFailed(line)) sums.failed[at] = (sums.failed[at] ?? 0) + 1
  }
  const from = SPANS - knownSpans(recorder, numbers, now)
  const apps = [...found].map(([app, {calls, failed}]) => ({app, calls: calls.slice(from), failed: failed.slice(from)}))
  return {seconds: SECONDS, until: isoTime(now), apps}
}

/** Returns the number of latest periods for which all calls are kept. An old call that still runs does not count: later calls may be gone. */
function knownSpans(recorder: CallRecorder, numbers: readonly number[], now: number): number {
  const [latest = 0] = numbers
  const oldest = numbers.findLast(number => number > latest - numbers.length)
  const line = numbers.includes(1) ? undefined : recorder.line(oldest ?? 0)
  return line === undefined ? SPANS : Math.min(SPANS, Math.max(0, spanOf(line.startedAt, now)))
}

const spanOf = (at: number, now: number): number => Math.floor((now - at) / 1000 / SECONDS)

const empty = (): number[] => Array.from({length: SPANS}, () => 0)

/** Returns memory and CPU time of the process groups of apps. */
export async function usageView(apps: readonly Api.App[]): Promise<Api.Usage> {
  const groups = new Set(apps.map(({pid}) => pid).filter(pid => pid > 0))
  const usage = await usageOf(groups)
  return {at: new Date().toISOString(), groups: [...usage].map(([pid, used]) => ({pid, ...used}))}
}
