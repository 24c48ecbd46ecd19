/** Waits for all promises. If one rejects, undoes those that succeed, and throws the first error. So nothing is created after the failure was handled. */
export async function allOrNone<T>(
  attempts: readonly Promise<T>[],
  undo: (given: T) => Promise<void> | void = () => undefined
): Promise<readonly T[]> {
  const results = await Promise.allSettled(attempts)
  const failed = results.find(result => result.status === 'rejected')
  const given = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  if (failed === undefined) return given
  await Promise.all(given.map(async each => undo(each)))
  throw failed.reason
}

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
