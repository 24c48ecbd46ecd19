/**
 * What all of these give. When one fails, the others are waited for all the same and what they gave is given back; then the
 * first error is thrown. So nobody puts something up after the failure was dealt with.
 */
export async function allOrNone<T>(
  attempts: readonly Promise<T>[],
  giveBack: (given: T) => Promise<void> | void = () => undefined
): Promise<readonly T[]> {
  const results = await Promise.allSettled(attempts)
  const failed = results.find(result => result.status === 'rejected')
  const given = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  if (failed === undefined) return given
  await Promise.all(given.map(async each => giveBack(each)))
  throw failed.reason
}
