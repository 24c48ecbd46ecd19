import type {AppState} from '../../model/app-state.ts'
import type {AppRuntime} from '../app-runtime.ts'
import type {ExchangeOptions} from '../reload/overlap.ts'
import {Replacement} from '../reload/replacement.ts'
import type {OwnerFacts, ReplacementPoint} from './next-step.ts'
import {ReloadReports, type ReloadListeners} from './reload-reports.ts'

export interface ExchangesNeeds extends Omit<ExchangeOptions, 'cut'>, ReloadListeners {
  /** Called before a process is replaced. */
  readonly replacing?: () => unknown
}

/** Replaces the processes of one app for its owner, one replacement at a time. Old processes may still finish their work meanwhile. */
export class Exchanges {
  readonly reports: ReloadReports
  readonly #options: ExchangesNeeds & ExchangeOptions
  /** Current replacement; undefined: the process stays. */
  current: Replacement | undefined
  /** Number of replacements whose old process has not ended. */
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

  /** Begins a replacement if there is none, and lets the calls and the work of the process finish. `isFall`: the app falls asleep instead. */
  async drain(isFall: boolean, callOff: AbortSignal): Promise<void> {
    this.current ??= this.#begin(isFall)
    await this.current.drain(callOff)
  }

  failed(error: unknown): void {
    if (this.current !== undefined) this.current.at = 'left'
    this.reports.failed('reload', error)
  }

  /** Ends the replacement, which admits calls again. `isReported`: report the reload, since the app does not end. */
  close(isReported: boolean): void {
    const replacement = this.current
    this.current = undefined
    if (replacement === undefined) return
    replacement.close()
    this.#finished()
    if (!replacement.isFalling && isReported) this.reports.end(replacement)
  }

  /** Starts a candidate, which takes over when it is ready. Resolves with the reason why it has failed; '': it has taken over, or was cancelled. */
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

  /** Gives work to workers again, once the last old process has ended: the resumption reaches all workers of the app. */
  #finished(): void {
    if (--this.#finishing > 0) return
    this.#options.resumeWork(this.#options.runtime)
    this.#options.keepHosted(this.#options.runtime)
  }
}

/** Whether a candidate may run next to the current process, which is ready, and whose plan and starter stay. */
export function canOverlap({app, plan, isNextDifferent, isDebugged}: AppRuntime): boolean {
  const isUp = app.state.phase === 'running' && app.state.ready
  return plan.reload === 'overlap' && plan.channel.autoPort && isUp && !isNextDifferent && !isDebugged
}

/** Whether the process has ended, and the next one starts after a delay or on demand. */
export const hasPaused = (state: AppState): boolean =>
  state.phase === 'asleep' || (state.phase === 'backoff' && state.until < Infinity)

/** Returns the state of an open app's process on which commands depend. */
export function processOf({isDebugged, isGivenUp, app: {state}, sleep}: AppRuntime): OwnerFacts['process'] {
  if (isDebugged) return 'theirs'
  if (state.phase === 'asleep' && !isGivenUp) return sleep.isWaking ? 'up' : 'asleep'
  return isGivenUp || ['exited', 'backoff'].includes(state.phase) ? 'down' : 'up'
}
