import {Limit} from '../../model/limit.ts'
import {setTimeout as pause} from 'node:timers/promises'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'

/** `recorded`: each at its time since the first one; `answered`: each when the one before it was answered. */
export type Pace = 'recorded' | 'answered'

/** Calls under way at the same time. */
const MAX_OPEN = 32

/**
 * Sends calls again, in order between the same two apps: each when the sidecar has taken or answered the one before. Settles when all are answered, or the signal is aborted.
 * `send` calls `taken` when the sidecar has the request, and settles when it is answered.
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
