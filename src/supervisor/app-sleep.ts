import {isDeepStrictEqual} from 'node:util'
import type {AppState} from '../model/app-state.ts'
import type {AppPlan} from '../model/plan.ts'
import {canBeWoken, type Triggers} from '../model/triggers.ts'
import {systemClock, type Clock} from '../platform/clock.ts'
import type {AdmissionQueue, PendingCall} from '../proxy/gateway/admission-queue.ts'

/** An app that may sleep. */
export interface Sleeper {
  readonly plan: AppPlan
  readonly queue: AdmissionQueue
  readonly app: {readonly state: AppState}
  /** Keeps an app awake that falls asleep, or wakes it once its process has ended. Returns false if it is not falling asleep, or was needed before. */
  need(cause: string): boolean
}

export interface AppSleepOptions {
  /** Called when the app is woken, before its dependencies are met. */
  readonly starting: () => void
  readonly triggers: () => Triggers
  /** Starts the app after its dependencies. `cause`: completes "it was started by …". */
  readonly wake: (cause: string) => void
  /** Called when the app's triggers have changed, to store them. */
  readonly learn: (triggers: Triggers) => void
  readonly clock?: Clock
}

/** First delay before a failed app is started again for waiting work, in ms. Each further delay is twice as long, up to `LONGEST_MS`. */
const AGAIN_MS = 1000
const LONGEST_MS = 60_000

/**
 * The sleep of one app: the app has no process, while its sidecar and ports stay open. Calls, events, jobs and dependents wake it. A call keeps
 * an app awake that is falling asleep, or waits for its next process, so that none is lost.
 */
export class AppSleep {
  readonly #sleeper: Sleeper
  readonly #options: AppSleepOptions | 'never'
  #isWaking = false
  #works = 0
  /** Number of failed starts in a row. */
  #failures = 0
  /** Cancels the delayed start after a failure; undefined: none is pending. */
  #callOff: (() => void) | undefined
  /** Cause of waiting work (`need`) while the app sleeps; '': none. */
  #needed = ''
  /** Whether a dependency that is not met has prevented the start. */
  #isBarred = false

  /** `never`: the app does not sleep. */
  constructor(sleeper: Sleeper, options: AppSleepOptions | 'never') {
    this.#sleeper = sleeper
    this.#options = options
  }

  get maySleep(): boolean {
    return this.#options !== 'never'
  }

  /** Whether the app sleeps at first (`lazy`), instead of starting. */
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

  /** Triggers besides calls, such as topics, as the app's last process has reported them. */
  get triggers(): Triggers {
    return this.#options === 'never' ? {} : this.#options.triggers()
  }

  /** Number of times that the app's workers have received work. */
  get works(): number {
    return this.#works
  }

  /** Starts the app for an immediate need, such as a call. Returns false if it has a process, or is being started already. */
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

  /** Starts the app for work that can wait: an event, an actor, a job. Delays the start after failures. Callers repeat this when its state changes. */
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

  /** Called when a dependency is ready. Starts the app for waiting work at once, despite earlier failures. */
  retry(): void {
    if (!this.isAsleep || !this.#isBarred) return
    this.#failures = 0
    this.#callOff?.()
    this.#callOff = undefined
    if (this.#needed !== '') this.wake(this.#needed)
  }

  /** Called when the app's process has reported triggers. */
  learn(part: Triggers): void {
    if (this.#options === 'never') return
    const triggers = {...this.triggers, ...part}
    if (!isDeepStrictEqual(triggers, this.triggers)) this.#options.learn(triggers)
  }

  /** Called when a worker of the app has received work. */
  onWork(): void {
    this.#works++
  }

  /** Called when a call waits in the app's queue. */
  onWait(call: PendingCall): void {
    if (this.wake(causeOf(call))) call.hasWoken = true
  }

  /** Called after each change of the app's state, once its queue is updated, and when its start was given up. */
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
    // wakes the app for a call that was queued before it slept
    const [first] = this.#sleeper.queue.held
    if (first !== undefined) this.onWait(first)
  }
}

const causeOf = ({caller, from = caller, method, path}: PendingCall): string => `${from}: ${method} ${path}`
