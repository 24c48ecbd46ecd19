import {pause} from '../../platform/delay.ts'

/** For a moment there may be no descriptor for a file, from which code is loaded. */
const AGAIN_MS = 1000

/** Does something once more in a second, unless it is over by then. */
export async function again(work: () => unknown, over: AbortSignal): Promise<void> {
  await pause(AGAIN_MS, over)
  if (!over.aborted) work()
}
