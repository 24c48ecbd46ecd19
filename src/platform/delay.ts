import {isShortage} from '../model/errors.ts'
import {systemClock} from './clock.ts'

const OPEN_AGAIN_MS = 5
const isDone = (): boolean => true

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

/** Resolves when the signal or `until` is aborted. */
export const aborted = async (signal: AbortSignal, until: {readonly signal?: AbortSignal} = {}): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), {once: true, ...until})
  })

/** Returns the result of work, or undefined once the signal is aborted. Removes its listener from the signal, which may live as long as the run. */
export async function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T | undefined> {
  const done = new AbortController()
  const end = aborted(signal, {signal: done.signal}).then(() => undefined)
  return Promise.race([work, end]).finally(() => done.abort())
}

/** Returns the result of work, or undefined after `ms`. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const done = new AbortController()
  return Promise.race([work, pause(ms, done.signal).then(() => undefined)]).finally(() => done.abort())
}

/** Resolves with whether work has ended within `ms`. */
export const isWithin = async (ms: number, work: Promise<unknown>): Promise<boolean> =>
  (await within(ms, work.then(isDone))) ?? false

/** Opens files, and tries again while no descriptor is free. Returns undefined once the signal is aborted. */
export async function openSoon<T>(open: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  for (; !signal.aborted; await pause(OPEN_AGAIN_MS, signal))
    try {
      return await open()
    } catch (error) {
      if (!isShortage(error)) throw error
    }
  return undefined
}
