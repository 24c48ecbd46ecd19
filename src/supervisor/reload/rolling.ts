import {systemClock, type Clock} from '../../platform/clock.ts'
import type {AppRuntime} from '../app-runtime.ts'

/** An instance that waits for its turn; `exchange` settles when it is ready again, or has failed. */
interface Turn {
  readonly runtime: AppRuntime
  /** How many changes the instance was asked for since its last turn. */
  changes: number
  readonly exchange: () => Promise<void>
  done: PromiseWithResolvers<void>
}

export interface RollingOptions {
  /** Whether an instance was stopped or removed, or is in a debugger. The others do not wait for it. */
  readonly isElsewhere: (runtime: AppRuntime) => boolean
  /** Called with the instance that did not become ready, and the instances that keep their processes. */
  readonly stopped: (runtime: AppRuntime, waiting: readonly AppRuntime[]) => void
  /** Called with the instance that is not ready within its `ready.timeout`, and the instances that wait for it. */
  readonly onLate: (runtime: AppRuntime, waiting: readonly AppRuntime[]) => void
  readonly clock?: Clock
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

  /** Settles when the turn of the instance is over, or this or an earlier turn is late. A waiting instance keeps its place; a turn in progress is requested again. */
  async take(runtime: AppRuntime, exchange: () => Promise<void>): Promise<void> {
    const current = this.#current
    if (current?.runtime === runtime) {
      current.changes++
      const {done} = current
      current.done = Promise.withResolvers()
      void current.done.promise.then(done.resolve, done.reject)
      void exchange().then(current.done.resolve, current.done.reject)
      return current.done.promise
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
      const callOff = this.#lookForLate(turn)
      try {
        await turn.exchange()
        turn.done.resolve()
      } catch (error) {
        turn.done.reject(error)
      }
      callOff()
      const {queue, app} = turn.runtime
      const isDown = queue.state !== 'open' && !this.#options.isElsewhere(turn.runtime)
      // a waiting or sleeping instance says nothing about the new code
      const {state} = app
      const isUntried = state.phase === 'idle' || (state.phase === 'asleep' && state.last === undefined)
      if (isDown && !isUntried) this.#give(turn)
    }
    this.#current = undefined
  }

  /**
   * Answers waiting callers when the new process is not ready in time. The turns stay, since it may still become ready.
   * Returns the function that ends the look.
   */
  #lookForLate(turn: Turn): () => void {
    const {runtime} = turn
    const {clock = systemClock, onLate} = this.#options
    const {ready, stop} = runtime.wanted
    const late = (): void => {
      const waiting = this.#turns.map(each => each.runtime)
      if (waiting.length > 0) onLate(runtime, waiting)
      for (const {done} of [turn, ...this.#turns]) done.resolve()
    }
    // with `overlap` the process that is to take over starts next to the current one
    let callOff = clock.after(stop.timeoutMs + ready.timeoutMs, late)
    let before = ''
    const off = runtime.onMove(() => {
      const isNew = runtime.app.state.phase === 'starting' && before !== 'backoff'
      before = runtime.app.state.phase
      if (!isNew) return // a looping process would never be late
      callOff()
      callOff = clock.after(ready.timeoutMs, late)
    })
    return () => {
      off()
      callOff()
    }
  }

  /**
   * Ends the turns that asked for no more changes than the failed one; the others wait for a later attempt. Sleeping instances have no
   * process to keep, and have their turn.
   */
  #give({runtime, changes}: Turn): void {
    const waiting = this.#turns.filter(turn => turn.changes <= changes && turn.runtime.app.state.phase !== 'asleep')
    if (waiting.length === 0) return
    this.#turns = this.#turns.filter(turn => !waiting.includes(turn))
    const kept = waiting.map(turn => turn.runtime)
    this.#options.stopped(runtime, kept)
    for (const {done} of waiting) done.resolve()
  }
}
