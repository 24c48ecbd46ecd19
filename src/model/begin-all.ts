type End = () => Promise<void>

/** Begins all parts at once, and returns a function that ends them. If one fails, ends all others, and rejects with its error. */
export async function beginAll<T>(all: readonly T[], begin: (one: T) => Promise<End>): Promise<End> {
  const begun = await Promise.allSettled(all.map(begin))
  const ends = begun.flatMap(each => (each.status === 'fulfilled' ? each.value : []))
  const end = async (): Promise<void> => void (await Promise.all(ends.map(async each => each())))
  const failed = begun.find(each => each.status === 'rejected')
  if (failed === undefined) return end
  await end()
  throw failed.reason
}
