import {pause} from '../../../platform/delay.ts'

/** Between two tries, in ms: the first, and the longest. */
const FIRST_MS = 500
const LONGEST_MS = 30_000

/**
 * Tries to read from those that did not answer: a broker may start later, or come back. `begin` tries all that are left, and gives those
 * that do not answer yet.
 */
export async function untilBegun<T>(
  all: readonly T[],
  begin: (left: readonly T[]) => Promise<readonly T[]>,
  over: AbortSignal
): Promise<void> {
  let left = all
  for (let waitMs = FIRST_MS; left.length > 0; waitMs = Math.min(LONGEST_MS, 2 * waitMs)) {
    await pause(waitMs, over)
    left = over.aborted ? [] : await begin(left)
  }
}
