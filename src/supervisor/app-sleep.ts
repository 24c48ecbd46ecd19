import {isDeepStrictEqual} from 'node:util'
import type {AppState} from '../model/app-state.ts'
import type {AppPlan} from '../model/plan.ts'
import {canBeWoken, type Triggers} from '../model/triggers.ts'
import {systemClock, type Clock} from '../platform/clock.ts'
import type {AdmissionQueue, PendingCall} from '../proxy/gateway/admission-queue.ts'

/** The app that sleeps. */
export interface Sleeper {
  readonly plan: AppPlan
  readonly queue: AdmissionQueue
  readonly app: {readonly state: AppState}
  /** Keeps it awake, or wakes it when its process has ended. Returns false if it is not falling asleep, or was needed before. */
  need(cause: string): boolean
}

export interface AppSleepOptions {
  /** Called when the app is woken: it starts once its dependencies are met. */
  readonly starting: () => void
  readonly triggers: () => Triggers
  /** Starts a process after those of the dependencies. `cause` completes "it was started by …". */
  readonly wake: (cause: string) => void
  /** Called when the triggers of the app are known. */
  readonly learn: (triggers: Triggers) => void
  readonly clock?: Clock
}

/** First pause in ms before a failed app is started again for work without a limit. Each further pause is twice as long, up to the longest. */
const AGAIN_MS = 1000
const LONGEST_MS = 60_000

/**
 * The sleep of one app: it has no process, while its sidecar, ports and addresses stay open. Any need wakes it. A call keeps an app awake
 * that is falling asleep, or waits for the next process, so none is lost.
 */
export class AppSleep {
  readonly #sleeper: Sleeper
  readonly #options: AppSleepOptions | 'never'
  #isWaking = false
  #works = 0
  /** Number of failed starts in a row. */
  #failures = 0
  /** Cancels the next start after a failure. */
  #callOff: (() => void) | undefined
  /** Cause of a need without a limit while the app sleeps; may be empty. */
  #needed = ''
  /** Whether a missing dependency has prevented its start. */
  #isBarred = false

  /** `never`: the app does not sleep. */
  constructor(sleeper: Sleeper, options: AppSleepOptions | 'never') {
    this.#sleeper = sleeper
    this.#options = options
  }

  get maySleep(): boolean {
    return this.#options !== 'never'
  }

  /** Whether it waits for its first call instead of starting. */
  get beginsAsleep(): boolean {
    const {plan} = this.#sleeper
    return this.maySleep && plan.lazy === true && canBeWoken(plan, this.triggers)
  }

  get isAsleep(): boolean {
    return this.#sleeper.app.state.phase === 'asleep'
  }

  /** Whether the app is asleep, and is being started. */
  get isWaking(): boolean {
    return this.#isWaking && this.isAsleep
  }

  /** Triggers besides calls, as its last process has reported. */
  get triggers(): Triggers {
    return this.#options === 'never' ? {} : this.#options.triggers()
  }

  /** How often its workers have got work. */
  get works(): number {
    return this.#works
  }

  /** Starts the app for an immediate need. Returns false if it has a process, or is being started already. */
  wake(cause: string): boolean {
    if (this.#options === 'never') return false
    if (this.#sleeper.need(cause)) return true
    if (!this.isAsleep || this.#isWaking) return false
    this.#isWaking = true
    this.#isBarred = false
    this.#options.starting()
    this.#options.wake(cause)
    return true
  }

  /** Starts the app for a need without a limit: an event, an actor, a job. Callers repeat this when its state changes. */
  need(cause: string): void {
    if (this.#options === 'never') return
    this.#needed = cause
    if (this.#failures === 0) return void this.wake(cause)
    if (!this.isAsleep || this.#callOff !== undefined) return
    const {clock = systemClock} = this.#options
    this.#callOff = clock.after(Math.min(AGAIN_MS * 2 ** (this.#failures - 1), LONGEST_MS), () => {
      this.#callOff = undefined
      this.wake(cause)
    })
  }

  /** Called when a dependency is ready: waiting work is tried again at once, despite earlier failures. */
  retry(): void {
    if (!this.isAsleep || !this.#isBarred) return
    this.#failures = 0
    this.#callOff?.()
    this.#callOff = undefined
    if (this.#needed !== '') this.wake(this.#needed)
  }

  /** Called when its process has named its triggers. */
  learn(part: Triggers): void {
    if (this.#options === 'never') return
    const triggers = {...this.triggers, ...part}
    if (!isDeepStrictEqual(triggers, this.triggers)) this.#options.learn(triggers)
  }

  /** A worker of it got work. */
  onWork(): void {
    this.#works++
  }

  /** A call waits in its queue. */
  onWait(call: PendingCall): void {
    if (this.wake(causeOf(call))) call.hasWoken = true
  }

  /** Must be called after each change of its state, once its queue follows it; also when it cannot be started. */
  onMove(): void {
    if (this.#options === 'never') return
    const {state} = this.#sleeper.app
    if (state.phase === 'asleep' && this.#isWaking) this.#isBarred = true
    if (state.phase === 'asleep' && (state.last !== undefined || this.#isWaking)) this.#failures++
    this.#isWaking = false
    if (state.phase === 'running' && state.ready) this.#failures = 0
    if (state.phase !== 'asleep') {
      this.#callOff?.()
      this.#callOff = undefined
      this.#needed = ''
    }
    // a call may have arrived before the app slept
    const [first] = this.#sleeper.queue.held
    if (first !== undefined) this.onWait(first)
  }
}

const causeOf = ({caller, from = caller, method, path}: PendingCall): string => `${from}: ${method} ${path}`
