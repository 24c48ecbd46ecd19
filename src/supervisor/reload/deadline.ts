import {systemClock, type Clock} from '../../platform/clock.ts'

export interface Deadline {
  readonly ms: number
  /** Aborted to cancel the work. */
  readonly over?: AbortSignal | undefined
  readonly clock?: Clock
}

/** Runs `work` with a signal that is aborted when the time is up, the work is cancelled, or it is done. */
export async function withDeadline<T>(
  {ms, over, clock = systemClock}: Deadline,
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  const end = new AbortController()
  const abort = (): void => end.abort()
  const callOff = clock.after(ms, abort)
  if (over?.aborted === true) abort()
  over?.addEventListener('abort', abort, {once: true})
  try {
    return await work(end.signal)
  } finally {
    callOff()
    over?.removeEventListener('abort', abort)
    abort() // stops what it left running
  }
}
