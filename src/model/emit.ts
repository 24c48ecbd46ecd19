import {messageOf} from './errors.ts'

/** Calls each listener with each event. Passes an error of a listener to `onError`, except one thrown by its report. */
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
