/** Calls `task` for each item, at most `most` at a time. Rejects with the first error; results are in the order of the items. */
export async function inParallel<T, R>(items: readonly T[], task: (item: T) => Promise<R>, most = 16): Promise<R[]> {
  const results: R[] = []
  const entries = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await task(item)
  }
  await Promise.all(Array.from({length: Math.min(most, items.length)}, worker))
  return results
}
