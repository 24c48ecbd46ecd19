import {AsyncLocalStorage} from 'node:async_hooks'

type Heard = (error: unknown) => void

const boundaries = new AsyncLocalStorage<Heard>()

/** Runs work with a library's client. Passes uncaught errors of the client, also later ones, to `heard`, so that they do not end the run. */
export const withinBoundary = <T>(heard: Heard, work: () => T): T => boundaries.run(heard, work)

/** Wraps an object so that its methods, and those of its parts, run within a boundary. */
export const bounded = <T extends object>(inner: T, heard: Heard): T =>
  new Proxy(inner, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key)
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return bounded(value, heard)
      if (typeof value !== 'function') return value
      const method = value.bind(target) as (...args: readonly unknown[]) => unknown
      return (...args: readonly unknown[]) => withinBoundary(heard, () => method(...args))
    }
  })

/** Whether a boundary handles an error. For handlers of uncaught errors, which Node calls in the context of the throw. */
export function isTakenByBoundary(error: unknown): boolean {
  const heard = boundaries.getStore()
  heard?.(error)
  return heard !== undefined
}
