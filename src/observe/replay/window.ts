import {setTimeout as pause} from 'node:timers/promises'
import {UserError} from '../../model/errors.ts'
import {Limit} from '../../model/serial-queue.ts'
import {wallTime} from '../../platform/wall-time.ts'
import {contentOf, copyOfCall} from '../telemetry/recorder/call-content.ts'
import {FLAG} from '../telemetry/recorder/call-lines.ts'
import type {CallRecorder, RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import {readFilter} from '../telemetry/recorder/filter.ts'

/** Maximum number of calls in a window. */
const MAX_CALLS = 1000

/** A range between calls or times (ms since 1970), both included. */
export interface Window {
  readonly from: WindowEnd
  readonly to: WindowEnd
  /** A filter (`observe/telemetry/recorder/filter.ts`); '': all calls. */
  readonly q: string
}

export type WindowEnd = {readonly call: number} | {readonly time: number}

/** Flags of calls that are not sent again: other calls cause them again, or they are under way. */
const NOT_MADE = FLAG.own | FLAG.shadow | FLAG.replay | FLAG.open

/** Returns the calls of a window with copies of their bytes, the oldest first. Throws a UserError for a faulty filter, and for none or too many calls. */
export function callsOf(recorder: CallRecorder, {from, to, q}: Window): readonly RecordedCall[] {
  const matches = readFilter(q, recorder)
  const found: RecordedCall[] = []
  let count = 0
  for (const number of recorder.numbers()) {
    const line = recorder.line(number)
    if (line === undefined || (line.flags & NOT_MADE) !== 0) continue
    const at = Math.floor(wallTime.of(line.startedAt)) // whole milliseconds, as the list shows them
    const isBefore = 'call' in from ? number < from.call : at < from.time
    const isAfter = 'call' in to ? number > to.call : at > to.time
    if (isBefore || isAfter) continue
    const call = recorder.call(number)
    if (call === undefined) continue
    if (!matches(call, () => contentOf(call))) continue
    if (++count <= MAX_CALLS) found.push(copyOfCall(call))
  }
  if (count === 0)
    throw new UserError('no call is in the window', {
      explanation: 'pillion calls lists those that are kept.',
      code: 'not-found'
    })
  if (count > MAX_CALLS)
    throw new UserError(`${count} calls are in the window, and at most ${MAX_CALLS} are sent again`, {
      explanation: 'Make it shorter, or name whose calls: from:shop'
    })
  return found.toReversed()
}

/** The causes of calls, and which calls have failed. */
interface Causes {
  readonly links: {of(number: number): {readonly parent: number} | undefined}
  readonly failed: ReadonlySet<number>
}

/** Returns the number of the outermost call that failed in the latest failure. Throws a UserError if no call has failed. */
export function lastFailed(recorder: CallRecorder, {links, failed}: Causes): number {
  const hasFailed = (number: number): boolean =>
    failed.has(number) && ((recorder.line(number)?.flags ?? NOT_MADE) & NOT_MADE) === 0
  let number = recorder.numbers().find(hasFailed)
  if (number === undefined)
    throw new UserError('there is no failed call that can be sent again', {
      explanation: 'pillion calls is:failed lists those that failed.',
      code: 'not-found'
    })
  // continues with the failed callers above: to send the outermost again repeats the calls below
  for (let above: number | undefined = number; above !== undefined && hasFailed(above); above = links.of(above)?.parent)
    number = above
  return number
}

/** `recorded`: each call at its original time. `answered`: each after the answer to the one before. */
export type Pace = 'recorded' | 'answered'

/** Maximum number of calls under way. */
const MAX_OPEN = 32

/**
 * Sends calls again, in order between the same two apps: each after the sidecar has accepted or answered the one before. Settles when all
 * are answered, or the signal is aborted. `send` calls `taken` when the sidecar has the request, and settles with the answer.
 */
export async function sendInOrder(
  calls: readonly RecordedCall[],
  pace: Pace,
  send: (call: RecordedCall, taken: () => void) => Promise<void>,
  signal: AbortSignal
): Promise<void> {
  const limit = new Limit(MAX_OPEN)
  const began = performance.now()
  const first = calls[0]?.startedAt ?? 0
  const onEdge = async (queue: readonly RecordedCall[]): Promise<void> => {
    const open: Promise<void>[] = []
    for (const call of queue) {
      if (pace === 'recorded') await sleep(call.startedAt - first - (performance.now() - began), signal)
      const {promise: taken, resolve} = Promise.withResolvers<void>()
      const answered = limit.run(async () => (signal.aborted ? undefined : send(call, resolve))).finally(resolve)
      open.push(answered)
      await (pace === 'recorded' ? taken : answered)
    }
    await Promise.all(open)
  }
  const edges = Map.groupBy(calls, ({edge}) => edge)
  await Promise.all([...edges.values()].map(onEdge))
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return
  await pause(ms, undefined, {signal}).catch(() => undefined) // aborted
}
