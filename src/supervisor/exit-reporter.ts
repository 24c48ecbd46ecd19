import {exitCodeOf, succeeded, type Exit} from '../model/app-state.ts'
import {loopText, type ExitLoop} from '../model/exit-text.ts'
import type {AppPlan} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'
import {nameOfCheck} from '../proxy/gateway/health-check.ts'
import type {AppRuntimeOptions} from './app-runtime-options.ts'
import {whyNotFound} from '../platform/program-version.ts'
import {lookPathFault} from './command.ts'
import {crashReport, nextStartText, type Crash, type KeptExit} from './crash-reporter.ts'
import type {LifecycleLog} from './lifecycle-log.ts'
import type {Supervised} from './process/supervised.ts'

/** An app whose process has exited by itself. */
interface EndedApp {
  readonly plan: AppPlan
  readonly app: Pick<Supervised, 'state' | 'bestLine' | 'lived'>
  /** Loop of exits in which the app is; null: none. */
  readonly loop: ExitLoop | null
  /** Returns the PATH of the process. */
  readonly searchPath: () => string
}

/** Facts about an exit that the run has not recorded. */
const NOTHING_KEPT: KeptExit = {number: 0, calls: [], work: []}

/** Reports exits of an app with the reasons of failures, and changes of health. Reports a loop of crashes once, and again when their number has doubled. */
export class ExitReporter {
  readonly #name: string
  readonly #log: LifecycleLog
  readonly #of: Pick<AppRuntimeOptions, 'reporter' | 'single' | 'ended'>
  /** Reports advice. Repeats no text while the app is in a loop of exits. */
  readonly #hints: Reporter = {
    warn: (code, text) => {
      if (!this.#given.has(text)) this.#of.reporter.warn(code, text)
      this.#given.add(text)
    }
  }
  readonly #given = new Set<string>()
  #latest = ''
  /** Number of exits in a loop at which the loop is reported again. */
  #nextExits = 0

  constructor(name: string, log: LifecycleLog, of: Pick<AppRuntimeOptions, 'reporter' | 'single' | 'ended'>) {
    this.#name = name
    this.#log = log
    this.#of = of
  }

  /** Whether the app is the only one of its run, so that the terminal shows its output anyway. */
  get #isSingle(): boolean {
    return this.#of.single !== undefined
  }

  report(exit: Exit, app: EndedApp): void {
    this.#log.ended(exit)
    if (app.loop === null) this.#given.clear()
    const {command, folder} = app.plan
    const fault = exit.kind === 'spawn-error' ? lookPathFault(command, folder, app.searchPath()) : ''
    const kept = this.#of.ended(fault === '' ? exit : {kind: 'spawn-error', message: fault}, this.#hints)
    if (!succeeded(exit)) this.#explain(exit, app, kept ?? NOTHING_KEPT)
  }

  reportHealth(isHealthy: boolean, plan: AppPlan): void {
    this.#log.healthChanged(isHealthy)
    if (isHealthy) return
    const text = `"${this.#name}" is not healthy: its health check ${nameOfCheck(plan)} fails. It gets no calls until the check succeeds`
    this.#of.reporter.warn('app-unhealthy', text)
  }

  /** Explains a failed exit. Code 127 of a shell means that it has not found the program. */
  #explain(exit: Exit, ended: EndedApp, {number, calls: interrupted, work}: KeptExit): void {
    const {plan, app, searchPath} = ended
    if (this.#isSingle && interrupted.length === 0 && work.length === 0) return
    if (app.state.phase === 'exited' && plan.restart !== 'no') return // the warning `given-up` reports it
    const isShells127 = !this.#isSingle && exit.kind === 'code' && exit.code === 127
    const missing = isShells127 ? whyNotFound(plan.command, plan.folder, searchPath()) : ''
    if (missing !== '') return this.#hints.warn('command-not-found', `"${this.#name}" could not be started: ${missing}`)
    const livedMs = app.lived.to - app.lived.from
    const [line, death] = this.#isSingle ? ['', 0] : [app.bestLine, number]
    this.#tell({id: this.#name, exit, livedMs, interrupted, work, line, death}, ended)
  }

  #tell(crash: Omit<Crash, 'next'>, {app: {state}, loop}: EndedApp): void {
    const inMs = state.phase === 'backoff' ? state.until - Date.now() : undefined
    const kind = `${kindOf(crash.exit, crash.line)} ${crash.work.join(' ')}`
    const isRepeated = kind === this.#latest && crash.interrupted.length === 0 && inMs !== undefined && inMs < Infinity
    this.#latest = kind
    if (!isRepeated || loop === null) {
      this.#nextExits = 0
      const next = inMs === undefined ? '' : nextStartText(inMs)
      const line = isRepeated ? '' : crash.line
      this.#of.reporter.warn('app-crashed', crashReport({...crash, line, next}))
    } else if (loop.exits >= this.#nextExits) {
      this.#nextExits = 2 * loop.exits
      const line = crash.line === '' ? '' : `\n    ${crash.line}`
      this.#of.reporter.warn('app-crashed', `"${this.#name}" ${loopText(loop)}${line}`)
    }
  }
}

/** Returns a key that equal crashes share, without numbers such as times and process ids. */
const kindOf = (exit: Exit, line: string): string => `${exitCodeOf(exit)} ${line.replaceAll(/\d+/g, '0')}`
