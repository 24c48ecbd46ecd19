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
