import type {Why} from '../../model/app-state.ts'
import type {QueueStats} from '../../proxy/gateway/admission-queue.ts'
import type {ReplacementPoint} from '../owner/next-step.ts'
import {drain} from './deadline.ts'
import type {ExchangeOptions} from './overlap.ts'

/**
 * Replaces the process of one app without losing a call: queues new calls, lets calls in flight finish, stops the process, starts the next one,
 * and delivers the queued calls once it is ready. An idle app falls asleep in the same way, without a next process; it stays awake if its calls
 * and work take too long. The owner takes these steps: constructor, `drain`, `exchange` or `fallAsleep`, `close`.
 */
export class Replacement {
  at: ReplacementPoint = 'begun'
  readonly stats: Readonly<QueueStats>
  /** Number of calls that `drain` has cancelled. */
  cut = 0
  readonly isFalling: boolean
  readonly #options: ExchangeOptions
  /** Reason for the wait of calls to the app. */
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

  /** Whether the next process was spawned. A starting process without a pid could not be spawned. */
  get hasSpawned(): boolean {
    const {state} = this.#options.runtime.app
    return this.#hasBegun && (state.phase !== 'starting' || state.pid !== undefined)
  }

  /** Lets the calls in flight finish, and cancels calls that exceed the app's grace period. */
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

  /** Puts the app to sleep if it is still idle. Otherwise its process continues. */
  fallAsleep(): void {
    const {runtime} = this.#options
    const {app, idle} = runtime
    const isIdle = app.state.phase === 'running' && idle.kind === 'idle' && !idle.isBusy()
    this.at = isIdle ? 'exchanged' : 'left'
    if (isIdle) runtime.fallAsleep()
  }

  /** Stops the old process and starts the next one, if the app has a command that Pillion starts. `starting`: called right before the start. */
  async exchange(why: Why, starting: () => void): Promise<void> {
    const {runtime} = this.#options
    const isStarted = runtime.hasStarted && runtime.person === 'none' && runtime.wanted.command.length > 0
    this.at = isStarted ? 'exchanged' : 'left'
    this.#hasBegun = false
    if (isStarted || runtime.isNextDifferent) await runtime.replace(why, starting)
  }

  /** Follows the state of the app. Called after each change. */
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

  /** Ends the pause of the queue, which admits calls if the app accepts them: not between its old process and the next one. */
  close(): void {
    const {queue} = this.#options.runtime
    if (this.at === 'exchanged' && !this.isFalling && queue.state === 'open') queue.hold(this.#words)
    queue.unpause(this.#words)
  }
}
