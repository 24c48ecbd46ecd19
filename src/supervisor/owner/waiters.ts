import type {AppRuntime} from '../app-runtime.ts'
import type {Clock} from '../../platform/clock.ts'

/** Caller that waits for the end of all steps, or with `begun` for the spawn of a process of this round. */
interface Waiter {
  readonly aim: 'begun' | 'settled'
  readonly round: number
}

/** Callers that wait for the steps of an owner. */
export class OwnerWaiters {
  readonly #clock: Clock
  readonly #all = new Map<Waiter, () => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Settles when the caller is answered, or with `begun` when the process should be ready. */
  async add(aim: Waiter['aim'], {round, wanted: {stop, ready}}: Pick<AppRuntime, 'round' | 'wanted'>): Promise<void> {
    const waiter = {aim, round}
    const {promise, resolve} = Promise.withResolvers<void>()
    const callOff = aim === 'begun' ? this.#clock.after(stop.timeoutMs + ready.timeoutMs, resolve) : undefined
    this.#all.set(waiter, resolve)
    await promise
    callOff?.()
    this.#all.delete(waiter)
  }

  /** A process of this round was spawned. */
  begun(latest: number): void {
    for (const [{aim, round}, answer] of this.#all) if (aim === 'begun' && round <= latest) answer()
  }

  answerAll(): void {
    for (const answer of this.#all.values()) answer()
  }
}
