import type {Engine} from './engine.ts'
import type {TurnStart} from './turn.ts'
import {TurnItem} from './work-items.ts'

/** Time without an answer after which the log names a turn, in ms. */
const SILENCE_MS = 60_000

/** Logs turns that their worker has not answered for long. Does not send them again: the worker may be in a debugger. */
export class Silence {
  readonly #engine: Engine
  /** Inputs of turns that the log has named: each dispatch of a turn has its own. */
  readonly #named = new WeakSet<TurnStart>()
  #cancelTimer: (() => void) | undefined

  constructor(engine: Engine) {
    this.#engine = engine
  }

  watch(): void {
    const isBusy = [...this.#engine.workers.values()].some(workers => workers.isBusy)
    if (this.#cancelTimer === undefined && isBusy)
      this.#cancelTimer = this.#engine.clock.after(SILENCE_MS, () => this.#check())
  }

  close(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #check(): void {
    this.#cancelTimer = undefined
    const {clock, workers: all, options} = this.#engine
    const since = clock.date() - SILENCE_MS
    for (const [app, workers] of all)
      for (const item of workers.inHand()) {
        if (!(item instanceof TurnItem) || item.start === undefined || this.#named.has(item.start)) continue
        if (item.start.startedAt - item.start.aheadMs > since) continue
        this.#named.add(item.start)
        const {name, id} = item.live.instance
        options.warn(
          app,
          `workflow '${name}' '${id}': its worker has not answered a turn for a minute (an endless loop, or a debugger?); it gets the turn again when it connects again`
        )
      }
    this.watch()
  }
}
