import type {Why} from '../../model/app-state.ts'
import type {QueueStats} from '../../proxy/gateway/admission-queue.ts'
import type {ReplacementPoint} from '../owner/next-step.ts'
import {drain} from './deadline.ts'
import type {ExchangeOptions} from './overlap.ts'

/**
 * Replaces the process of one app without losing a call: new calls are queued, calls in flight finish, the process is stopped, the new
 * one becomes ready, and the queued calls are delivered. No call is sent twice. An app falls asleep in the same way, without a new
 * process, unless its calls and work take too long.
 */
export class Replacement {
  at: ReplacementPoint = 'begun'
  readonly stats: Readonly<QueueStats>
  /** The number of calls that it has cut. */
  cut = 0
  readonly isFalling: boolean
  readonly #options: ExchangeOptions
  /** Reason that calls to the app get for their wait. */
  readonly #words: string
  readonly #from: number
  #hasBegun = false

  constructor(options: ExchangeOptions, words: string, isFalling: boolean) {
    const {runtime, clock} = options
    this.isFalling = isFalling
    this.#options = options
    this.#words = words
    this.#from = clock.now()
    this.stats = runtime.queue.startStats()
    runtime.queue.pause(words)
  }

  get tookMs(): number {
    return this.#options.clock.now() - this.#from
  }

  /** Whether its process was spawned, and not only requested. Without a pid, spawning has failed. */
  get hasSpawned(): boolean {
    const {state} = this.#options.runtime.app
    return this.#hasBegun && (state.phase !== 'starting' || state.pid !== undefined)
  }

  /** Lets the calls in flight finish, and cancels those that exceed the app's grace period. */
  async drain(callOff: AbortSignal): Promise<void> {
    const {runtime, clock, cut, finishWork, letGo, letGoMs, waitsForOthers} = this.#options
    const ms = Math.max(runtime.plan.stop.timeoutMs, letGoMs(runtime))
    const deadline = {ms, over: callOff, isPaused: waitsForOthers, clock}
    const {isDone, left, tookMs} = await drain(runtime.queue, [letGo(runtime), finishWork(runtime)], deadline)
    if (callOff.aborted) return
    this.at = !isDone && this.isFalling ? 'left' : 'drained'
    if (isDone || this.isFalling || left.length === 0) return
    runtime.cutCalls(cut(left, tookMs))
    this.cut += left.length
  }

  /** Puts the app to sleep if it is still idle, else leaves its process. */
  lull(): void {
    const {runtime} = this.#options
    const {app, idle} = runtime
    const isIdle = app.state.phase === 'running' && idle.kind === 'idle' && !idle.isBusy()
    this.at = isIdle ? 'exchanged' : 'left'
    if (isIdle) runtime.lull()
  }

  /** Ends the old process and starts the next, unless none is to be started here. `starting`: called in between. */
  async exchange(why: Why, starting: () => void): Promise<void> {
    const {runtime} = this.#options
    const isStarted = runtime.hasStarted && runtime.person === 'none' && runtime.wanted.command.length > 0
    this.at = isStarted ? 'exchanged' : 'left'
    this.#hasBegun = false
    if (isStarted || runtime.isOtherNext) await runtime.replace(why, starting)
  }

  /** Must be called after each change of the app's state. */
  moved(): void {
    const {app, queue} = this.#options.runtime
    if (this.at !== 'exchanged') return
    if (this.isFalling) {
      if (['asleep', 'starting', 'exited'].includes(app.state.phase)) this.at = 'down'
      return
    }
    this.#hasBegun ||= app.state.phase === 'starting'
    if (!this.#hasBegun) return
    if (queue.state === 'open') this.at = 'up'
    else if (queue.state === 'shut' || app.state.phase === 'asleep') this.at = 'down'
  }

  /** Admits calls, if the app accepts any. */
  close(): void {
    this.#options.runtime.queue.unpause(this.#words)
  }
}
