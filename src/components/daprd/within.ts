/** Whether something is done within a time. */
export async function isWithin(ms: number, done: Promise<void>): Promise<boolean> {
  const {promise, resolve} = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), ms)
  void done.then(() => resolve(true))
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}
