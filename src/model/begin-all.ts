type End = () => Promise<void>

/** Begins what belongs together; the returned function ends all of it. If one cannot begin, those that have begun are ended. */
export async function beginAll<T>(all: readonly T[], begin: (one: T) => Promise<End>): Promise<End> {
  const begun = await Promise.allSettled(all.map(begin))
  const ends = begun.flatMap(each => (each.status === 'fulfilled' ? each.value : []))
  const end = async (): Promise<void> => void (await Promise.all(ends.map(async each => each())))
  const failed = begun.find(each => each.status === 'rejected')
  if (failed === undefined) return end
  await end()
  throw failed.reason
}
