import {setTimeout as pause} from 'node:timers/promises'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'

/** `recorded`: each at its time since the first one; `answered`: each when the one before it was answered. */
export type Pace = 'recorded' | 'answered'

/** Calls under way at the same time. */
const MAX_OPEN = 32

/**
 * Sends calls again, those between the same two apps in their order: one is sent when the sidecar has taken the one before it, or when that
 * was answered. Settles when all are answered, or the signal is aborted.
 * `send` calls `taken` when the sidecar has the request, and settles when it is answered.
 */
export async function sendInOrder(
  calls: readonly RecordedCall[],
  pace: Pace,
  send: (call: RecordedCall, taken: () => void) => Promise<void>,
  signal: AbortSignal
): Promise<void> {
  const places = new Places(MAX_OPEN)
  const began = performance.now()
  const first = calls[0]?.startedAt ?? 0
  const onEdge = async (queue: readonly RecordedCall[]): Promise<void> => {
    const open: Promise<void>[] = []
    for (const call of queue) {
      if (pace === 'recorded') await sleep(call.startedAt - first - (performance.now() - began), signal)
      await places.take()
      if (signal.aborted) {
        places.free()
        break
      }
      const {promise: taken, resolve} = Promise.withResolvers<void>()
      const answered = (async () => {
        try {
          await send(call, resolve)
        } finally {
          resolve()
          places.free()
        }
      })()
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
  try {
    await pause(ms, undefined, {signal})
  } catch {
    // aborted
  }
}

/** Limits how many run at the same time; the others wait in order. */
class Places {
  #left: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#left = count
  }

  async take(): Promise<void> {
    if (this.#left > 0) this.#left--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  free(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#left++
    else next()
  }
}
