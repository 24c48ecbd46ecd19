import type {RunOptions} from './run-options.ts'
import {messageOf} from '../model/errors.ts'
import type {Emit, RunEvent} from '../model/events.ts'
import type {Hint, Reporter, TellingReporter, WarningCode} from '../model/reporter.ts'

const NOT_STARTED = ' could not be started: '

/**
 * Reports warnings of a run. Delays them until the start lines of all apps are printed: until then Dapr's scripts read both streams. A
 * missing program is reported once: at its place in the template, and not again at the exit that it causes.
 */
export class RunReporter implements TellingReporter {
  readonly #emit: Emit
  /** Events until the start lines are printed. undefined: they are printed. */
  #delayed: RunEvent[] | undefined = []
  /** Warnings about missing programs of the template whose apps have not exited yet. */
  readonly #missing: string[] = []

  constructor(emit: Emit) {
    this.#emit = emit
  }

  warn(code: WarningCode, text: string): void {
    const isPlaced = code === 'command-not-found' && !text.includes(NOT_STARTED)
    if (isPlaced) this.#missing.push(text)
    this.#report({type: 'warned', code, text})
  }

  tell(text: string): void {
    this.#report({type: 'info', text})
  }

  #report(event: RunEvent): void {
    if (this.#delayed !== undefined) this.#delayed.push(event)
    else if (!this.#isReportedInTemplate(event)) this.#emit(event)
  }

  /** Whether a warning about the template has explained this failed start. Each of these warnings counts for one start. */
  #isReportedInTemplate(event: RunEvent): boolean {
    if (event.type !== 'warned' || event.code !== 'command-not-found') return false
    const [, reason] = event.text.split(NOT_STARTED)
    const at = reason === undefined ? -1 : this.#missing.findIndex(text => text.includes(reason))
    if (at !== -1) this.#missing.splice(at, 1)
    return at !== -1
  }

  /** Reports the delayed warnings. Later ones are reported at once. */
  release(hints?: () => readonly Hint[]): void {
    for (const {code, text} of hints?.() ?? []) this.warn(code, text)
    const delayed = this.#delayed ?? []
    this.#delayed = undefined
    for (const event of delayed) this.#report(event)
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
