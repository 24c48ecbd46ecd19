import type {Engine} from './engine.ts'
import type {TurnStart} from './turn.ts'
import {TurnItem} from './work-items.ts'

/** Time in ms without an answer after which the log names a turn's worker. */
const SILENCE_MS = 60_000

/** Names turns that no worker answers. Does not send them again, since their worker may be in a debugger. */
export class Silence {
  readonly #engine: Engine
  /** Turns that the log has named. A repeated turn is a new one. */
  readonly #named = new WeakSet<TurnStart>()
  #stop: (() => void) | undefined

  constructor(engine: Engine) {
    this.#engine = engine
  }

  listen(): void {
    const isBusy = [...this.#engine.workers.values()].some(workers => workers.isBusy)
    if (this.#stop === undefined && isBusy) this.#stop = this.#engine.clock.after(SILENCE_MS, () => this.#look())
  }

  close(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  #look(): void {
    this.#stop = undefined
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
    this.listen()
  }
}
