import {allOrNone} from './all-or-none.ts'

/**
 * Runs `task` for each item, at most `most` at a time. After an error it begins no more, waits for those under way, and rejects with the
 * first error. Results have the order of the items.
 */
export async function inParallel<T, R>(items: readonly T[], task: (item: T) => Promise<R>, most = 16): Promise<R[]> {
  const results: R[] = []
  const left = [...items.entries()].toReversed()
  const worker = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop())
      results[next[0]] = await task(next[1]).catch((error: unknown) => {
        left.length = 0
        throw error
      })
  }
  await allOrNone(Array.from({length: Math.min(most, items.length)}, worker))
  return results
}
