/** Gives a piece of work a signal that is aborted when its time is over, when nobody wants it any more, or when it is done. */
export async function withDeadline<T>(
  {ms, over}: {readonly ms: number; readonly over?: AbortSignal | undefined},
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  const end = new AbortController()
  const abort = (): void => end.abort()
  const timer = setTimeout(abort, ms)
  if (over?.aborted === true) abort()
  over?.addEventListener('abort', abort, {once: true})
  try {
    return await work(end.signal)
  } finally {
    clearTimeout(timer)
    over?.removeEventListener('abort', abort)
    abort() // what it left running
  }
}
