import {systemClock, type Clock} from '../../platform/clock.ts'

export interface Deadline {
  readonly ms: number
  /** Aborted to cancel the work. */
  readonly over?: AbortSignal | undefined
  /** While it returns true, no time is used up. */
  readonly isPaused?: (() => boolean) | undefined
  readonly clock?: Clock
}

/** Delay between two checks of `isPaused`, in ms. */
const LOOK_EVERY_MS = 50

/** Runs `work` with a signal that is aborted when the time is up, the work is cancelled, or it is done. */
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
    abort() // stops its running work
  }
}
