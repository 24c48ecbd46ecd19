import type {Why} from '../../model/app-state.ts'
import type {AppRuntime} from '../app-runtime.ts'
import {wholeMessageOf} from '../../model/errors.ts'
import {canOverlap, Exchanges, hasPaused, processOf, type ExchangesNeeds} from './exchanges.ts'
import {nextStep, type OwnerFacts, type OwnerStep} from './next-step.ts'
import {InstanceTurns} from './turn.ts'
import {OwnerWaiters} from './waiters.ts'

export interface AppOwnerOptions extends ExchangesNeeds {
  /** Opens a closed app again. Starts a stopped app after its dependencies; an edit starts its apps itself. Rejects if a port is taken. */
  readonly open: (runtime: AppRuntime, callOff: AbortSignal) => Promise<void>
  /** Gives an app to the start order, which starts it after its dependencies. */
  readonly queue: (runtime: AppRuntime) => Promise<void>
  /** Returns the owners of all open instances of the app. */
  readonly group: () => readonly AppOwner[]
  /** Called when a command asks for a process. Ends the limit on restarts by saves. */
  readonly lift?: () => void
}

/** The step that the owner is taking, and its round. */
interface Doing {
  readonly step: OwnerStep
  readonly round: number
  readonly callOff: AbortController
}

/**
 * The control loop of one app, over all its openings. Saves, edits and commands change the app's intent (`AppRuntime`) and call `look`. The owner
 * then takes one step after the other, as `nextStep` decides, until the app has reached the intent. Several changes at once need one process.
 */
export class AppOwner {
  readonly runtime: AppRuntime
  readonly turns: InstanceTurns
  /** Reason why the latest change has kept the old process, or why the app could not be opened; '': it has succeeded. */
  failure = ''
  readonly #options: AppOwnerOptions
  readonly #off: () => void
  readonly #exchanges: Exchanges
  readonly #waiters: OwnerWaiters
  #why: Why = 'user'
  /** Round of the process, or of the latest attempt to replace it. */
  #round = 0
  #doing: Doing | undefined
  #isAtRest = true
  #isOpen = true
  /** Function that closes the app; undefined: no close is requested, or it has begun. */
  #end: (() => Promise<void>) | undefined
  /** Results of the latest opening and closing. */
  #opening: Promise<void> = Promise.resolve()
  #closing: Promise<void> = Promise.resolve()

  constructor(options: AppOwnerOptions) {
    this.runtime = options.runtime
    this.#options = options
    this.#exchanges = new Exchanges(options)
    this.turns = new InstanceTurns(this, options)
    this.#waiters = new OwnerWaiters(options.clock)
    this.#off = this.runtime.onMove(() => {
      this.#exchanges.current?.moved()
      this.turns.moved()
      const {app, wanted, plan} = this.runtime
      // asks for a process with the edited plan, since the next process would start with the old one
      if (hasPaused(app.state) && wanted !== plan && !this.isChanging) this.want('watch')
      queueMicrotask(() => this.look())
    })
  }

  /** Asks for a new process. `files`: saved files, relative to the folder of the app. */
  want(why: Why, files: readonly string[] = []): void {
    if (!this.isOpen) return
    this.#exchanges.reports.saved(files)
    this.#why = why
    this.failure = ''
    this.#isAtRest = false
    this.runtime.round++
    if (this.runtime.idle.kind === 'idle')
      this.runtime.idle = why === 'user' ? {kind: 'needed', cause: 'restart'} : {kind: 'no'}
    this.look()
  }

  /** Puts an idle app to sleep once its work is done, unless it is needed before. Resolves with whether it sleeps. */
  async fall(isBusy: () => boolean): Promise<boolean> {
    if (!this.#isAtRest || !this.isOpen) return false
    this.#isAtRest = false
    this.runtime.idle = {kind: 'idle', isBusy}
    this.look()
    await this.reached('settled')
    return this.runtime.sleep.isAsleep
  }

  /** Carries out a command that has changed the intent. Resolves with the reason why it has failed; '': it has succeeded. */
  async follow(): Promise<string> {
    const {isStopped, person} = this.runtime
    this.#options.lift?.()
    this.#isAtRest = false
    this.look()
    await this.reached(isStopped || person === 'debugs' || this.turns.areTaken ? 'settled' : 'begun')
    if (this.runtime.runEnds) return 'the run is stopping'
    return this.failure === '' && this.runtime.isStopped ? 'it was stopped meanwhile' : this.failure
  }

  /** Closes the app by `end`, unless it is closed or being closed already. Settles when the app is closed. Rejects if `end` rejects. */
  async close(closing: 'closes' | 'reopens', end: () => Promise<void>): Promise<void> {
    if (this.#isOpen && this.runtime.closing === 'no') {
      this.#end = end
      this.runtime.closing = closing
      this.#endTurn()
    }
    this.look()
    await this.#closing
  }

  /** Opens the app again for the edit that has closed it. Rejects if that fails. */
  async reopen(): Promise<void> {
    this.runtime.closing = 'opens'
    this.#opening = Promise.resolve()
    this.#isAtRest = false
    this.look()
    await this.reached('settled')
    await this.#opening
  }

  /** Called when the app is open again. The next process counts as one of the latest round. */
  opened(): void {
    this.#isOpen = true
    this.runtime.closing = 'no'
    this.#round = this.runtime.round
  }

  /** Settles when the app has reached its intent, or the new process is late. `begun`: also when the new process was spawned, or should be ready. */
  async reached(aim: 'begun' | 'settled'): Promise<void> {
    if (!this.#isAtRest) await this.#waiters.add(aim, this.runtime)
  }

  /** Number of requested rounds that were not tried yet. */
  get changes(): number {
    return this.isOpen ? this.runtime.round - this.#round : 0
  }

  /** Whether processes may be replaced: neither a command, an edit nor the run ends the app. */
  get isOpen(): boolean {
    const {closing, runEnds, person} = this.runtime
    return closing === 'no' && !runEnds && person !== 'stopped'
  }

  /** Whether the process is being replaced, or is about to be. */
  get isChanging(): boolean {
    return this.changes > 0 || (this.isBusy && !this.#exchanges.isFalling)
  }

  /** Called when the run ends. */
  end(): void {
    this.runtime.runEnds = true
    this.#isAtRest = false
    this.#off()
    this.look()
  }

  /** Keeps the process, since the new process of another instance has failed. That instance calls `look` of all others next. */
  keep(): void {
    this.#round = this.runtime.round
  }

  /** Settles the waits of all callers, although steps are left. */
  answer(): void {
    this.#waiters.answerAll()
  }

  /** Takes the next step, or cancels the current one if `nextStep` now decides otherwise. Called after each change of intent or facts. */
  look(): void {
    const step = nextStep(this.runtime, this.#facts)
    const doing = this.#doing
    if (doing !== undefined && doing.step !== step) doing.callOff.abort()
    if (this.#exchanges.current?.hasSpawned === true) this.#waiters.begun(this.#round)
    if (doing === undefined) this.#take(step)
    else if (step === 'end' && doing.step !== 'end') this.#endAtOnce(doing)
  }

  #take(step: OwnerStep): void {
    if (step === 'none') return this.#rest()
    if (step === 'close') return this.#close()
    if (step !== 'renew' && step !== 'wake' && step !== 'queue') return void this.#do(step)
    this.runtime.request = 'no'
    this.failure = ''
    if (step === 'renew') return this.want('user')
    if (step === 'wake') this.runtime.sleep.wake('start')
    else
      void this.#options.queue(this.runtime).catch((error: unknown) => this.#exchanges.reports.failed('start', error))
    this.look()
  }

  /** Ends the app without waiting for the cancelled step, which starts nothing more. A cancelled opening stays the current step until it settles. */
  #endAtOnce({step}: Doing): void {
    if (step === 'open') return void this.#endApp()
    this.#doing = undefined
    void this.#do('end')
  }

  get isBusy(): boolean {
    return !['none', 'open', 'end'].includes(this.#doing?.step ?? 'none') || this.#exchanges.at !== 'none'
  }

  get #facts(): OwnerFacts {
    return {
      isOpen: this.#isOpen,
      process: processOf(this.runtime),
      round: this.#round,
      candidate: this.#doing?.step === 'overlap' ? this.#doing.round : 0,
      replacement: this.#exchanges.at,
      isFalling: this.#exchanges.isFalling,
      mayOverlap: canOverlap(this.runtime),
      turn: this.turns.isOtherFirst ? 'other' : 'own'
    }
  }

  async #do(step: Exclude<OwnerStep, 'none' | 'close' | 'renew' | 'wake' | 'queue'>): Promise<void> {
    this.turns.begin(this.#round)
    const {round} = this.runtime
    const doing = {step, round, callOff: new AbortController()}
    this.#doing = doing
    if (step === 'open') await this.#open(doing.callOff.signal)
    else if (step === 'end') await this.#endApp()
    else await this.#renew(step, doing)
    if (this.#doing !== doing) return
    this.#doing = undefined
    this.look()
  }

  async #open(callOff: AbortSignal): Promise<void> {
    this.failure = ''
    try {
      await (this.#opening = this.#options.open(this.runtime, callOff))
    } catch (error) {
      this.failure = wholeMessageOf(error)
      Object.assign(this.runtime, {person: 'stopped', request: 'no'})
    }
  }

  /** Ends the app once. A cancelled opening may settle before the end, and then asks for the next step, which is this one again. */
  async #endApp(): Promise<void> {
    const end = this.#end
    this.#end = undefined
    if (end !== undefined) {
      this.#close()
      this.#closing = end().finally(() => (this.#isOpen = false))
    }
    await Promise.allSettled([this.#closing])
  }

  /** Takes a step towards a process of the latest round, or to sleep. */
  async #renew(step: 'overlap' | 'drain' | 'exchange' | 'fallAsleep', doing: Doing): Promise<void> {
    const {round, callOff} = doing
    const exchanges = this.#exchanges
    if (step === 'exchange') this.#round = round
    try {
      if (step === 'overlap') this.failure = await exchanges.overlap(callOff.signal)
      else if (step === 'drain') await exchanges.drain(this.changes === 0, callOff.signal)
      else if (step === 'fallAsleep') exchanges.current?.fallAsleep()
      else await exchanges.current?.exchange(this.#why, () => this.#starting())
    } catch (error) {
      this.#round = round
      exchanges.failed(error)
    }
    if (step === 'overlap' || step === 'fallAsleep') this.#round = round
  }

  /** Called right before the next process starts, which fulfils all requests so far, unless an edit has changed its plan. */
  #starting(): void {
    if (!this.runtime.isNextDifferent) this.#round = this.runtime.round
  }

  #close(): void {
    if (this.#exchanges.isFalling) this.#endFall()
    this.#exchanges.close(this.isOpen)
    this.look()
  }

  /** Wakes an app that was needed while it fell asleep. The next process counts as one of the latest round. */
  #endFall(): void {
    const {idle, sleep, wanted, plan, round} = this.runtime
    this.runtime.idle = {kind: 'no'}
    if (idle.kind === 'needed' && sleep.wake(idle.cause) && wanted === plan) this.#round = round
  }

  #rest(): void {
    if (this.changes > 0 || this.#doing !== undefined || this.#exchanges.at !== 'none' || this.#isAtRest) return
    this.#isAtRest = true
    this.#endTurn()
  }

  /** Ends the turn of this instance, settles the waits of all callers, and lets the other instances look. */
  #endTurn(): void {
    this.turns.end(this.#round, !this.isOpen)
    this.answer()
    for (const each of this.#options.group()) if (!each.#isAtRest) each.look()
  }
}
