import type {AppRuntime} from '../app-runtime.ts'

/** An instance that waits for its turn; `exchange` settles when it is ready again, or has failed. */
interface Turn {
  readonly runtime: AppRuntime
  readonly exchange: () => Promise<void>
  readonly done: PromiseWithResolvers<void>
}

export interface RollingOptions {
  /** It was stopped or removed, or the user runs it in a debugger: that says nothing of the others. */
  readonly isElsewhere: (runtime: AppRuntime) => boolean
  /** Called with the instance that did not become ready, and the instances that keep their processes. */
  readonly stopped: (runtime: AppRuntime, waiting: readonly AppRuntime[]) => void
}

/**
 * Replaces the processes of an app's instances one after the other, so that the others receive its calls.
 * If one does not become ready, the waiting instances keep their processes: the new code does not work.
 */
export class Rolling {
  readonly #turns: Turn[] = []
  readonly #options: RollingOptions
  #current: AppRuntime | undefined

  constructor(options: RollingOptions) {
    this.#options = options
  }

  /** Settles when the turn of the instance is over. A waiting instance keeps its place; one in progress is requested again. */
  async take(runtime: AppRuntime, exchange: () => Promise<void>): Promise<void> {
    if (this.#current === runtime) return exchange()
    const at = this.#turns.findIndex(turn => turn.runtime === runtime)
    const done = this.#turns[at]?.done ?? Promise.withResolvers<void>()
    this.#turns.splice(at < 0 ? this.#turns.length : at, at < 0 ? 0 : 1, {runtime, exchange, done})
    if (this.#current === undefined) void this.#run()
    await done.promise
  }

  async #run(): Promise<void> {
    for (let turn = this.#turns.shift(); turn !== undefined; turn = this.#turns.shift()) {
      this.#current = turn.runtime
      try {
        await turn.exchange()
        turn.done.resolve()
      } catch (error) {
        turn.done.reject(error)
      }
      const {queue, app} = turn.runtime
      const isDown = queue.state !== 'open' && !this.#options.isElsewhere(turn.runtime)
      // one that still waits for other apps tells nothing about the new code
      if (isDown && app.state.phase !== 'idle' && this.#turns.length > 0) this.#give(turn.runtime)
    }
    this.#current = undefined
  }

  #give(runtime: AppRuntime): void {
    const waiting = this.#turns.splice(0)
    this.#options.stopped(
      runtime,
      waiting.map(turn => turn.runtime)
    )
    for (const {done} of waiting) done.resolve()
  }
}
