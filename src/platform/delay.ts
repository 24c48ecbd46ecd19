import {systemClock} from './clock.ts'

/** Resolves after `ms` milliseconds, or once the signal is aborted; never rejects. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return
  const {promise, resolve} = Promise.withResolvers<void>()
  const callOff = systemClock.after(ms, resolve)
  const end = (): void => resolve()
  signal?.addEventListener('abort', end, {once: true})
  await promise
  callOff()
  signal?.removeEventListener('abort', end)
}

/** Settles when the signal is aborted; at once if it already is. */
export const aborted = async (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), {once: true})
  })

/** The result of work, or undefined if it takes longer. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), ms)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
