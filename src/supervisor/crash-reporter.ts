import {exitCodeOf, type AppState, type Exit} from '../model/app-state.ts'
import type {Reporter} from '../model/reporter.ts'
import {crashReport, nextStartText, repeatedCrash, type Crash} from './messages/crash-report.ts'

/** Reports each crash of an app once. A crash that repeats is reported the 2nd, 4th, 8th … time. */
export class CrashReporter {
  readonly #id: string
  readonly #reporter: Reporter
  #latest = ''
  #times = 0

  constructor(id: string, reporter: Reporter) {
    this.#id = id
    this.#reporter = reporter
  }

  /** `state`: the state after the exit; `starts`: the number of processes so far. */
  report(crash: Omit<Crash, 'id' | 'next'>, {state, starts}: {state: AppState; starts: number}): void {
    const inMs = state.phase === 'backoff' ? state.until - Date.now() : undefined
    const next = inMs === undefined ? '' : nextStartText(starts, inMs)
    const kind = kindOf(crash.exit, crash.line)
    const isRepeated = kind === this.#latest && crash.interrupted.length === 0 && inMs !== undefined && inMs < Infinity
    this.#times = isRepeated ? this.#times + 1 : 1
    this.#latest = kind
    if (!isRepeated) this.#reporter.warn('app-crashed', crashReport({...crash, id: this.#id, next}))
    else if (Number.isInteger(Math.log2(this.#times)))
      this.#reporter.warn('app-crashed', repeatedCrash({id: this.#id, exit: crash.exit, next}, this.#times))
  }
}

/** Two crashes are the same if they differ only in numbers, such as times and process ids. */
const kindOf = (exit: Exit, line: string): string => `${exitCodeOf(exit).toString()} ${line.replaceAll(/\d+/g, '0')}`
