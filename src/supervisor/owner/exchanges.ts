import type {AppState} from '../../model/app-state.ts'
import type {AppRuntime} from '../app-runtime.ts'
import type {ExchangeOptions} from '../reload/overlap.ts'
import {Replacement} from '../reload/replacement.ts'
import type {OwnerFacts, ReplacementPoint} from './next-step.ts'
import {ReloadReports, type ReloadListeners} from './reload-reports.ts'

export interface ExchangesNeeds extends Omit<ExchangeOptions, 'cut'>, ReloadListeners {
  /** Called when a process is about to be replaced. */
  readonly replacing?: () => unknown
}

/** The exchanges of the processes of one app: one after the other, while old processes may still finish their work. */
export class Exchanges {
  readonly reports: ReloadReports
  readonly #options: ExchangesNeeds & ExchangeOptions
  /** The replacement of the process; undefined: it stays. */
  current: Replacement | undefined
  /** Number of exchanges whose old process still finishes its work. */
  #finishing = 0

  constructor(options: ExchangesNeeds) {
    this.reports = new ReloadReports(options.runtime.name, options)
    this.#options = {...options, cut: this.reports.cut}
  }

  get at(): ReplacementPoint {
    return this.current?.at ?? 'none'
  }

  get isFalling(): boolean {
    return this.current?.isFalling === true
  }

  /** Lets the calls and the work of the process finish. `isFall`: the app falls asleep. */
  async drain(isFall: boolean, callOff: AbortSignal): Promise<void> {
    this.current ??= this.#begin(isFall)
    await this.current.drain(callOff)
  }

  failed(error: unknown): void {
    if (this.current !== undefined) this.current.at = 'left'
    this.reports.failed('reload', error)
  }

  /** Admits calls again. `isReported`: unless the app ends. */
  close(isReported: boolean): void {
    const replacement = this.current
    this.current = undefined
    if (replacement === undefined) return
    replacement.close()
    this.#finished()
    if (!replacement.isFalling && isReported) this.reports.end(replacement)
  }

  /** Starts a candidate, which takes over when it is ready. Resolves with the reason why it has failed; '': it has not. */
  async overlap(signal: AbortSignal): Promise<string> {
    const {clock} = this.#options
    const from = clock.now()
    const {overlap} = await import('../reload/overlap.ts')
    this.#finishing++
    let left = Promise.resolve()
    try {
      const done = await overlap({...this.#options, signal})
      if (done.kind === 'kept') {
        if (done.why !== '') this.reports.warn(done.why)
        return done.why
      }
      left = done.left
      this.reports.tookOver(clock.now() - from)
      return ''
    } finally {
      void left
        .catch((error: unknown) => this.reports.failed('end the old process of', error))
        .finally(() => this.#finished())
    }
  }

  #begin(isFall: boolean): Replacement {
    this.#finishing++
    if (isFall) return new Replacement(this.#options, `"${this.#options.runtime.name}" falls asleep`, true)
    void this.#options.replacing?.()
    return new Replacement(this.#options, this.reports.begin(), false)
  }

  /** Resumes work when no process finishes any more: all workers get the message. */
  #finished(): void {
    if (--this.#finishing > 0) return
    this.#options.resumeWork(this.#options.runtime)
    this.#options.keepHosted(this.#options.runtime)
  }
}

/** Whether a second process may overlap: the current one is ready, and plan and starter are unchanged. */
export function canOverlap({app, plan, isOtherNext, isDebugged}: AppRuntime): boolean {
  const isUp = app.state.phase === 'running' && app.state.ready
  return plan.reload === 'overlap' && plan.channel.autoPort && isUp && !isOtherNext && !isDebugged
}

/** Whether its process has ended, and the next one follows after a pause, or with the next need. */
export const hasPaused = (state: AppState): boolean =>
  state.phase === 'asleep' || (state.phase === 'backoff' && state.until < Infinity)

/** Returns the process of an open app, as far as commands depend on it. */
export function processOf({isDebugged, isGivenUp, app: {state}, sleep}: AppRuntime): OwnerFacts['process'] {
  if (isDebugged) return 'theirs'
  if (state.phase === 'asleep' && !isGivenUp) return sleep.isWaking ? 'up' : 'asleep'
  return isGivenUp || ['exited', 'backoff'].includes(state.phase) ? 'down' : 'up'
}
