import {messageOf} from './errors.ts'

/**
 * Calls each listener with each event. Passes an error of a listener to `onError`, unless it was thrown while that reports.
 * So a line that cannot be shown ends neither other listeners nor the sender.
 */
export function emitTo<E>(listeners: readonly ((event: E) => void)[], onError: (why: string) => E): (event: E) => void {
  let isReporting = false
  const emit = (event: E): void => {
    const errors: unknown[] = []
    for (const listener of listeners)
      try {
        listener(event)
      } catch (error) {
        errors.push(error)
      }
    if (isReporting) return
    isReporting = true
    for (const error of errors) emit(onError(`an event could not be shown: ${messageOf(error)}`))
    isReporting = false
  }
  return emit
}
