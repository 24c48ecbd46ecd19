import {Limit} from '../../model/serial-queue.ts'
import {setTimeout as pause} from 'node:timers/promises'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'

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
