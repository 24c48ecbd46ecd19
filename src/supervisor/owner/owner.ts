import type {Why} from '../../model/app-state.ts'
import type {AppRuntime} from '../app-runtime.ts'
import type {ExchangeOptions} from '../reload/overlap.ts'
import {Replacement} from '../reload/replacement.ts'
import {nextExchange, type ExchangeFacts, type ExchangeStep} from './next-step.ts'
import {ReloadReports, type ReloadListeners} from './reload-reports.ts'
import {ProcessTurn} from './turn.ts'

export interface AppOwnerOptions extends Omit<ExchangeOptions, 'cut'>, ReloadListeners {
  /** The owners of all instances of the app that are open. */
  readonly group: () => readonly AppOwner[]
  /** Called when a process is about to be replaced. */
  readonly replacing?: () => unknown
}

/** A step under way, and its round. */
interface Doing {
  readonly step: ExchangeStep
  readonly round: number
  readonly callOff: AbortController
}

/** Caller that waits for the end of a change, or with `begun` for the spawn of a process of this round. */
interface Waiter {
  readonly aim: 'begun' | 'settled'
  readonly round: number
  readonly settle: () => void
}

/** The number of requests that may have to wait for a turn. */
let requests = 0

/**
 * Owner of the process of one app, from its opening to its end. Saves, edits and commands ask for a newer round at once. The owner takes
 * one step at a time, as `nextExchange` decides. Requests close together count as one.
 */
export class AppOwner {
  readonly runtime: AppRuntime
  /** Reason for which the latest change has kept the old process; '' = the change has replaced it. */
  failure = ''
  readonly #options: AppOwnerOptions & ExchangeOptions
  readonly #off: () => void
  readonly #reports: ReloadReports
  readonly #waiters = new Set<Waiter>()
  #why: Why = 'user'
  /** Round of its process, or of the latest attempt. */
  #round: number
  #doing: Doing | undefined
  #replacement: Replacement | undefined
  #turn: ProcessTurn | undefined
  /** Its place among the instances that wait for their turn. */
  #place = 0
  #isAtRest = true
  #isOver = false
  /** Number of exchanges whose old process still finishes its work: the next one may begin meanwhile. */
  #finishing = 0

  constructor(options: AppOwnerOptions) {
    this.runtime = options.runtime
    this.#reports = new ReloadReports(this.runtime.name, options)
    this.#options = {...options, cut: this.#reports.cut}
    this.#round = this.runtime.round
    this.#off = this.runtime.onMove(() => {
      this.#replacement?.moved()
      this.#turn?.moved()
      const {app, wanted, plan} = this.runtime
      // its next process uses the plan that was not applied
      if (app.state.phase === 'asleep' && wanted !== plan && !this.isChanging) this.want('watch')
      queueMicrotask(() => this.look())
    })
  }

  /** Asks for a process of a newer round. `files`: the saved files, relative to the folder of the app. */
  want(why: Why, files: readonly string[] = []): void {
    if (this.#isOver) return
    if (this.changes === 0) this.#place = ++requests
    this.#reports.saved(files)
    this.#why = why
    this.failure = ''
    this.#isAtRest = false
    this.runtime.round++
    if (this.runtime.idle.kind === 'idle')
      this.runtime.idle = why === 'user' ? {kind: 'needed', cause: 'restart'} : {kind: 'no'}
    this.look()
  }

  /** Puts an idle app to sleep once its work is done, unless it is needed before. Resolves with true if it sleeps. */
  async fall(isBusy: () => boolean): Promise<boolean> {
    if (!this.#isAtRest || this.#isOver) return false
    this.#isAtRest = false
    this.runtime.idle = {kind: 'idle', isBusy}
    this.look()
    await this.reached('settled')
    return this.runtime.sleep.isAsleep
  }

  /**
   * Settles when nothing is left to do, or the new process is late. With `begun` also when that was spawned, or should be ready: the
   * start of an overlapping process is not visible. An app that was not started only gets the wanted plan.
   */
  async reached(aim: Waiter['aim']): Promise<void> {
    if (this.#isAtRest) return
    const {promise, resolve} = Promise.withResolvers<void>()
    const {stop, ready} = this.runtime.wanted
    const callOff = aim === 'begun' ? this.#options.clock.after(stop.timeoutMs + ready.timeoutMs, resolve) : undefined
    const waiter = {aim, round: this.runtime.round, settle: resolve}
    this.#waiters.add(waiter)
    await promise
    callOff?.()
    this.#waiters.delete(waiter)
  }

  /** Number of requested changes that it has not tried. */
  get changes(): number {
    return this.#isOver ? 0 : this.runtime.round - this.#round
  }

  /** The process is being replaced, or is about to be. */
  get isChanging(): boolean {
    return this.changes > 0 || (this.#isBusy && this.#replacement?.isFalling !== true)
  }

  /** Whether other instances accept its calls while it is replaced. A sleeping app has no process; a debugger was named with one instance. */
  get takesTurns(): boolean {
    const {app, changesHands} = this.runtime
    const isAsleep = app.state.phase === 'asleep' && app.state.last === undefined
    return !isAsleep && !changesHands && this.#options.group().length > 1
  }

  get isWaiting(): boolean {
    return this.changes > 0 && !this.#isBusy && this.#turn === undefined && this.takesTurns
  }

  /** Ends the owner, which begins no further step. */
  end(): void {
    this.#isOver = true
    this.#isAtRest = false
    this.#off()
    this.look()
  }

  /** Keeps its process, since the new one of another instance has failed. That instance notifies all others next. */
  keep(): void {
    this.#round = this.runtime.round
  }

  /** Answers all waiting callers before its steps end. */
  answer(): void {
    for (const {settle} of this.#waiters) settle()
  }

  /** Takes the next step, or cancels the one under way if it is no longer the next. Must be called after each change. */
  look(): void {
    const step = nextExchange(this.runtime, this.#facts)
    const doing = this.#doing
    if (doing !== undefined && doing.step !== step) doing.callOff.abort()
    if (this.#replacement?.hasSpawned === true)
      for (const {aim, round, settle} of this.#waiters) if (aim === 'begun' && round <= this.#round) settle()
    if (doing !== undefined) return
    if (step === 'none') this.#rest()
    else if (step === 'close') this.#close()
    else void this.#do(step)
  }

  get #isBusy(): boolean {
    return this.#doing !== undefined || this.#replacement !== undefined
  }

  get #facts(): ExchangeFacts {
    const {app, plan, wanted, changesHands, isDebugged} = this.runtime
    const isUp = app.state.phase === 'running' && app.state.ready
    const isSame = wanted === plan && !changesHands && !isDebugged
    return {
      isOver: this.#isOver,
      round: this.#round,
      candidate: this.#doing?.step === 'overlap' ? this.#doing.round : 0,
      replacement: this.#replacement?.at ?? 'none',
      isFalling: this.#replacement?.isFalling === true,
      mayOverlap: plan.reload === 'overlap' && plan.channel.autoPort && isUp && isSame,
      turn: this.isWaiting && this.#isOtherFirst ? 'other' : 'own'
    }
  }

  get #isOtherFirst(): boolean {
    return this.#options
      .group()
      .some(each => each !== this && (each.#turn !== undefined || (each.isWaiting && each.#place < this.#place)))
  }

  async #do(step: Exclude<ExchangeStep, 'none' | 'close'>): Promise<void> {
    if (this.isWaiting) this.#turn = this.#newTurn()
    const {round} = this.runtime
    const doing = {step, round, callOff: new AbortController()}
    this.#doing = doing
    try {
      if (step === 'overlap') await this.#overlap(doing.callOff.signal)
      else await this.#replace(step, doing)
    } catch (error) {
      this.#round = round
      if (this.#replacement !== undefined) this.#replacement.at = 'left'
      this.#reports.failed('reload', error)
    }
    if (step !== 'drain') this.#round = round
    this.#doing = undefined
    this.look()
  }

  async #replace(step: 'drain' | 'exchange' | 'lull', {round, callOff}: Doing): Promise<void> {
    const replacement = (this.#replacement ??= this.#newReplacement())
    if (step === 'drain') return replacement.drain(callOff.signal)
    if (step === 'lull') return replacement.lull()
    this.#round = round
    await replacement.exchange(this.#why)
  }

  #newReplacement(): Replacement {
    this.#finishing++
    if (this.changes === 0) return new Replacement(this.#options, `"${this.runtime.name}" falls asleep`, true)
    void this.#options.replacing?.()
    return new Replacement(this.#options, this.#reports.begin(), false)
  }

  #close(): void {
    const replacement = this.#replacement
    this.#replacement = undefined
    if (replacement === undefined) return
    if (replacement.isFalling) this.#endFall()
    replacement.close()
    this.#finished()
    if (!replacement.isFalling && !this.#isOver) this.#reports.end(replacement)
    this.look()
  }

  /** Wakes an app that was needed while it fell asleep. Its next process is of the latest round. */
  #endFall(): void {
    const {idle, sleep, wanted, plan, round} = this.runtime
    this.runtime.idle = {kind: 'no'}
    if (idle.kind === 'needed' && sleep.wake(idle.cause) && wanted === plan) this.#round = round
  }

  async #overlap(signal: AbortSignal): Promise<void> {
    const {clock} = this.#options
    const from = clock.now()
    const {overlap} = await import('../reload/overlap.ts')
    this.#finishing++
    let left = Promise.resolve()
    try {
      const done = await overlap({...this.#options, signal})
      if (done.kind === 'taken over') {
        left = done.left
        this.#reports.tookOver(clock.now() - from)
      } else if (done.why !== '') {
        this.failure = done.why
        this.#reports.warn(done.why)
      }
    } finally {
      void left
        .catch((error: unknown) => this.#reports.failed('end the old process of', error))
        .finally(() => this.#finished())
    }
  }

  /** Ends the turn, and answers all waiting callers. */
  #rest(): void {
    if (this.changes > 0 || this.#isBusy || this.#isAtRest) return
    this.#isAtRest = true
    const turn = this.#turn
    this.#turn = undefined
    turn?.close()
    if (!this.#isOver) turn?.end(this.#round)
    this.answer()
    for (const each of this.#options.group()) if (!each.#isAtRest) each.look()
  }

  #newTurn(): ProcessTurn {
    const {group, reporter, clock} = this.#options
    const waiting = (): readonly AppOwner[] => group().filter(each => each !== this && each.isWaiting)
    return new ProcessTurn({owner: this, since: this.#round, waiting, reporter, clock})
  }

  /** Resumes work when no process finishes any more: all workers get the message. */
  #finished(): void {
    if (--this.#finishing > 0) return
    this.#options.resumeWork(this.runtime)
    this.#options.keepHosted(this.runtime)
  }
}
