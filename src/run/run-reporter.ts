import type {RunOptions} from './run-options.ts'
import {messageOf} from '../model/errors.ts'
import type {Emit, RunEvent} from '../model/events.ts'
import type {Hint, Reporter, TellingReporter, WarningCode} from '../model/reporter.ts'

/** Delays warnings until the start lines of all apps are printed: until then Dapr's scripts read both streams. */
export class RunReporter implements TellingReporter {
  readonly #emit: Emit
  #kept: RunEvent[] | undefined = []

  constructor(emit: Emit) {
    this.#emit = emit
  }

  warn(code: WarningCode, text: string): void {
    this.#report({type: 'warned', code, text})
  }

  tell(text: string): void {
    this.#report({type: 'info', text})
  }

  #report(event: RunEvent): void {
    if (this.#kept === undefined) this.#emit(event)
    else this.#kept.push(event)
  }

  /** Reports the delayed warnings. Later ones are reported at once. */
  release(hints?: () => readonly Hint[]): void {
    for (const {code, text} of hints?.() ?? []) this.warn(code, text)
    const kept = this.#kept ?? []
    this.#kept = undefined
    for (const event of kept) this.#emit(event)
  }
}

/** Optional work: if it fails, the reason is reported and the run continues. */
export async function inBackground(reporter: Reporter, what: string, work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    reporter.warn('background-task-failed', `${what}: ${messageOf(error)}`)
  }
}

/** The warning about an app that the user has excluded. */
export const exceptedText = (id: string): string =>
  `"${id}" is not started (--except): "pillion env ${id}" prints its environment, "pillion start ${id}" starts it`

/** Options whose events reach these observers first. Their `emit` never throws. */
export const observed = (
  options: RunOptions,
  observers: readonly {readonly noticed: (event: RunEvent) => void}[]
): RunOptions => ({
  ...options,
  emit: emitTo<RunEvent>(
    [...observers.map(observer => (event: RunEvent) => observer.noticed(event)), event => options.emit(event)],
    text => ({type: 'warned', code: 'background-task-failed', text})
  )
})

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
