import type {AppRuntime} from '../app-runtime.ts'

/** An instance that waits for its turn; `exchange` settles when it is ready again, or has failed. */
interface Turn {
  readonly runtime: AppRuntime
  /** How many changes the instance was asked for since its last turn. */
  changes: number
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
 * If one does not become ready, the waiting instances keep their processes: the new code does not work. A change that came
 * after the one it has tried is tried all the same.
 */
export class Rolling {
  #turns: Turn[] = []
  readonly #options: RollingOptions
  #current: Turn | undefined

  constructor(options: RollingOptions) {
    this.#options = options
  }

  /** Settles when the turn of the instance is over. A waiting instance keeps its place; one in progress is requested again. */
  async take(runtime: AppRuntime, exchange: () => Promise<void>): Promise<void> {
    if (this.#current?.runtime === runtime) {
      this.#current.changes++
      return exchange()
    }
    const at = this.#turns.findIndex(turn => turn.runtime === runtime)
    const {done, changes} = this.#turns[at] ?? {done: Promise.withResolvers<void>(), changes: 0}
    const turn = {runtime, exchange, done, changes: changes + 1}
    this.#turns.splice(at < 0 ? this.#turns.length : at, at < 0 ? 0 : 1, turn)
    if (this.#current === undefined) void this.#run()
    await done.promise
  }

  async #run(): Promise<void> {
    for (let turn = this.#turns.shift(); turn !== undefined; turn = this.#turns.shift()) {
      this.#current = turn
      try {
        await turn.exchange()
        turn.done.resolve()
      } catch (error) {
        turn.done.reject(error)
      }
      const {queue, app} = turn.runtime
      const isDown = queue.state !== 'open' && !this.#options.isElsewhere(turn.runtime)
      // one that still waits for other apps tells nothing about the new code
      if (isDown && app.state.phase !== 'idle') this.#give(turn)
    }
    this.#current = undefined
  }

  /** Whoever was asked for more changes than the one that failed waits for one that has not been tried. */
  #give({runtime, changes}: Turn): void {
    const waiting = this.#turns.filter(turn => turn.changes <= changes)
    if (waiting.length === 0) return
    this.#turns = this.#turns.filter(turn => turn.changes > changes)
    this.#options.stopped(
      runtime,
      waiting.map(turn => turn.runtime)
    )
    for (const {done} of waiting) done.resolve()
  }
}
