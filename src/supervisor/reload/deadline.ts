import {systemClock, type Clock} from '../../platform/clock.ts'
import type {AdmissionQueue, PendingCall} from '../../proxy/gateway/admission-queue.ts'

export interface Deadline {
  readonly ms: number
  /** Aborted to cancel the work before the deadline. */
  readonly over?: AbortSignal | undefined
  /** Returns whether the time is paused. */
  readonly isPaused?: (() => boolean) | undefined
  readonly clock?: Clock
}

/** Delay between two checks of `isPaused`, in ms. */
const LOOK_EVERY_MS = 50

/** Runs `work` with a signal, which is aborted when the time is up, the work is cancelled, or it has finished. */
export async function withDeadline<T>(
  {ms, over, isPaused, clock = systemClock}: Deadline,
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  const end = new AbortController()
  const abort = (): void => end.abort()
  let left = ms
  const count = (): (() => void) => {
    const step = isPaused === undefined ? left : Math.min(left, LOOK_EVERY_MS)
    return clock.after(step, () => {
      if (isPaused?.() !== true) left -= step
      if (left > 0) callOff = count()
      else abort()
    })
  }
  let callOff = count()
  if (over?.aborted === true) abort()
  over?.addEventListener('abort', abort, {once: true})
  try {
    return await work(end.signal)
  } finally {
    callOff()
    over?.removeEventListener('abort', abort)
    abort() // stops parts of the work that still run
  }
}

/** Result of a drain. `left`: calls that were in flight at its begin, and still are. `tookMs`: time that the calls had. */
interface Drained {
  readonly isDone: boolean
  readonly left: readonly PendingCall[]
  readonly tookMs: number
}

/** Lets the calls in flight to a process finish within the deadline. `steps`: let its other work finish meanwhile. */
export async function drain(
  queue: AdmissionQueue,
  steps: readonly ((signal: AbortSignal) => Promise<boolean>)[],
  deadline: Deadline
): Promise<Drained> {
  const {ms, clock = systemClock} = deadline
  const from = clock.now()
  const inside = [...queue.inFlight.keys()]
  const isDone = await withDeadline(deadline, async signal =>
    (await Promise.all([queue.drained(signal), ...steps.map(async step => step(signal))])).every(Boolean)
  )
  const {inFlight} = queue // read once, since each access makes a copy
  return {isDone, left: inside.filter(each => inFlight.has(each)), tookMs: Math.max(ms, clock.now() - from)}
}
