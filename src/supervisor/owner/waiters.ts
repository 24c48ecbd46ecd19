import type {Clock} from '../../platform/clock.ts'

/** Caller that waits for the end of all steps, or with `begun` for the spawn of a process of this round. */
interface Waiter {
  readonly aim: 'begun' | 'settled'
  readonly round: number
  /** Time limit in ms. */
  readonly ms: number
}

/** Callers that wait for the steps of an owner. */
export class OwnerWaiters {
  readonly #clock: Clock
  readonly #all = new Map<Waiter, () => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Settles when the caller is answered, or its time is over. */
  async add(waiter: Waiter): Promise<void> {
    const {promise, resolve} = Promise.withResolvers<void>()
    const callOff = waiter.ms === Infinity ? undefined : this.#clock.after(waiter.ms, resolve)
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
