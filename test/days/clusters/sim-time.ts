import {AsyncLocalStorage} from 'node:async_hooks'
import {syncBuiltinESMExports} from 'node:module'
import timers from 'node:timers/promises'

/** A process of the walk: what it waits for ends with it. */
export interface Mortal {
  isDead: boolean
}

interface Due {
  readonly at: number
  readonly nth: number
  readonly fire: () => void
  readonly owner: Mortal | undefined
}

/** Turns of the event loop in which all that needs no time has happened. */
const TURNS = 10

/** The time of everything that is loaded here: it passes when nothing is left to do. */
export class SimTime {
  now = 0
  readonly #owners = new AsyncLocalStorage<Mortal>()
  readonly #due = new Map<number, Due>()
  #count = 0
  readonly #restore: () => void

  constructor() {
    const [set, clear, pause] = [setTimeout, clearTimeout, timers.setTimeout]
    const now = performance.now.bind(performance)
    const after = (fire: (...given: unknown[]) => void, ms = 0, ...given: unknown[]): object => {
      const nth = this.after(ms, () => fire(...given))
      const timer = {nth, ref: () => timer, unref: () => timer, hasRef: () => true, [Symbol.toPrimitive]: () => nth}
      return timer
    }
    Object.assign(globalThis, {
      setTimeout: after,
      clearTimeout: (timer?: {readonly nth?: number}) => {
        if (timer?.nth === undefined) clear(timer as unknown as NodeJS.Timeout)
        else this.#due.delete(timer.nth)
      }
    })
    performance.now = () => this.now
    Object.assign(timers, {
      setTimeout: async (ms: number, value: unknown, {signal}: {signal?: AbortSignal} = {}) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted === true) return reject(signal.reason as Error)
          const nth = this.after(ms, () => resolve(value))
          signal?.addEventListener('abort', () => {
            this.#due.delete(nth)
            reject(signal.reason as Error)
          })
        })
    })
    syncBuiltinESMExports()
    this.#restore = () => {
      Object.assign(globalThis, {setTimeout: set, clearTimeout: clear})
      performance.now = now
      Object.assign(timers, {setTimeout: pause})
      syncBuiltinESMExports()
    }
  }

  get owner(): Mortal | undefined {
    return this.#owners.getStore()
  }

  /** What a process does: its timers are its own. */
  within<T>(owner: Mortal, work: () => T): T {
    return this.#owners.run(owner, work)
  }

  /** What belongs to no process. */
  outside<T>(work: () => T): T {
    return this.#owners.exit(work)
  }

  after(ms: number, fire: () => void): number {
    const nth = ++this.#count
    this.#due.set(nth, {at: this.now + Math.max(1, ms || 0), nth, fire, owner: this.owner})
    return nth
  }

  async pause(ms: number): Promise<void> {
    return new Promise(resolve => this.after(ms, resolve))
  }

  /** Lets time pass until it is so, or for so long. Returns whether it is so. */
  async pass(limitMs: number, isSo: () => boolean = () => false): Promise<boolean> {
    const end = this.now + limitMs
    for (;;) {
      for (let turn = 0; turn < TURNS; turn++) await new Promise(setImmediate)
      if (isSo()) return true
      const next = this.#next()
      if (next === undefined || next.at > end) break
      this.now = Math.max(this.now, next.at)
      this.#due.delete(next.nth)
      if (next.owner?.isDead === true) continue
      if (next.owner === undefined) this.outside(next.fire)
      else this.within(next.owner, next.fire)
    }
    this.now = end
    return false
  }

  #next(): Due | undefined {
    let first: Due | undefined
    for (const due of this.#due.values())
      if (first === undefined || due.at < first.at || (due.at === first.at && due.nth < first.nth)) first = due
    return first
  }

  close(): void {
    this.#restore()
  }
}
