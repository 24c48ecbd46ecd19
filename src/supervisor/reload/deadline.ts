import {systemClock, type Clock} from '../../platform/clock.ts'

export interface Deadline {
  readonly ms: number
  /** Aborted: nobody wants the work any more. */
  readonly over?: AbortSignal | undefined
  readonly clock?: Clock
}

/** Gives a piece of work a signal that is aborted when its time is over, when nobody wants it any more, or when it is done. */
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
    abort() // what it left running
  }
}
