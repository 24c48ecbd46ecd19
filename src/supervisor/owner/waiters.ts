import type {AppRuntime} from '../app-runtime.ts'
import type {Clock} from '../../platform/clock.ts'

/** A caller that waits. `settled`: until no step is left. `begun`: until a process of this round was spawned. */
interface Waiter {
  readonly aim: 'begun' | 'settled'
  readonly round: number
}

/** The callers that wait for the steps of an owner. */
export class OwnerWaiters {
  readonly #clock: Clock
  readonly #all = new Map<Waiter, () => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Waits for the aim. With `begun`, at most as long as the old process may take to end and the new one to become ready. */
  async add(aim: Waiter['aim'], {round, wanted: {stop, ready}}: Pick<AppRuntime, 'round' | 'wanted'>): Promise<void> {
    const waiter = {aim, round}
    const {promise, resolve} = Promise.withResolvers<void>()
    const callOff = aim === 'begun' ? this.#clock.after(stop.timeoutMs + ready.timeoutMs, resolve) : undefined
    this.#all.set(waiter, resolve)
    await promise
    callOff?.()
    this.#all.delete(waiter)
  }

  /** Settles the waits for a spawn. `latest`: round of the spawned process. */
  begun(latest: number): void {
    for (const [{aim, round}, answer] of this.#all) if (aim === 'begun' && round <= latest) answer()
  }

  answerAll(): void {
    for (const answer of this.#all.values()) answer()
  }
}
