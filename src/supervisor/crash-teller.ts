import {exitCodeOf, type AppState, type Exit} from '../model/app-state.ts'
import type {Reporter} from '../model/reporter.ts'
import {crashReport, nextStartText, repeatedCrash, type Crash} from './messages/crash-report.ts'

/** Tells the crashes of one app, each once. One that happens again and again is told at the 2nd, 4th, 8th … time. */
export class CrashTeller {
  readonly #id: string
  readonly #reporter: Reporter
  #latest = ''
  #times = 0

  constructor(id: string, reporter: Reporter) {
    this.#id = id
    this.#reporter = reporter
  }

  /** `state`: what followed the end; `starts`: how many processes of it there have been. */
  tell(crash: Omit<Crash, 'id' | 'next'>, {state, starts}: {state: AppState; starts: number}): void {
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

/** Crashes are alike where they differ in numbers alone: times, process ids. */
const kindOf = (exit: Exit, line: string): string => `${exitCodeOf(exit).toString()} ${line.replaceAll(/\d+/g, '0')}`
