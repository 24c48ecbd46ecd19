import {pause} from '../../../platform/delay.ts'

/** Between two tries, in ms: the first, and the longest. */
const FIRST_MS = 500
const LONGEST_MS = 30_000

/** Tries until it succeeds to read from what did not answer: a broker may start later, or come back. */
export async function untilBegun(begin: () => Promise<boolean>, over: AbortSignal): Promise<void> {
  for (let waitMs = FIRST_MS; ; waitMs = Math.min(LONGEST_MS, 2 * waitMs)) {
    await pause(waitMs, over)
    if (over.aborted || (await begin())) return
  }
}
