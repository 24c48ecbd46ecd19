import {setTimeout as sleep} from 'node:timers/promises'

/** Waits so many milliseconds, or until the signal is aborted; never rejects. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal && {signal})
  } catch {
    // the signal ended the wait
  }
}

/** Settles when the signal is aborted; at once if it already is. */
export const aborted = async (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), {once: true})
  })
