import {pause} from '../../platform/delay.ts'

const RETRY_MS = 1000

/** Runs `work` after RETRY_MS, unless `over` is aborted by then. */
export async function retryLater(work: () => unknown, over: AbortSignal): Promise<void> {
  await pause(RETRY_MS, over)
  if (!over.aborted) work()
}
