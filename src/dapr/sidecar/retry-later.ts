import {pause} from '../../platform/delay.ts'

/** Delay before a retry. Loading code fails while no file descriptor is free, usually for a moment. */
const RETRY_MS = 1000

/** Runs `work` once more in a second, unless `over` is aborted by then. */
export async function retryLater(work: () => unknown, over: AbortSignal): Promise<void> {
  await pause(RETRY_MS, over)
  if (!over.aborted) work()
}
