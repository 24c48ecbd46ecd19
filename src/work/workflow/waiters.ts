import type {Instance} from './instance.ts'

/** Checks a changed instance against the state that a caller waits for; undefined: the instance was removed. */
type Check = (instance: Instance | undefined) => void

/** Callers that wait until an instance is in some state. */
export class Waiters {
  readonly #ofInstance = new Map<number, Set<Check>>()
  /** The checks for any instance. */
  readonly #ofAny = new Set<(instance: Instance) => void>()

  /** Resolves when `isMet` is true for the instance, which is `now` at first. Never, if the caller leaves before (`onGone`). */
  async wait(
    key: number,
    now: Instance | undefined,
    isMet: (instance: Instance | undefined) => boolean,
    onGone: (listener: () => void) => void = () => undefined
  ): Promise<Instance | undefined> {
    if (isMet(now)) return now
    return new Promise(resolve => {
      const check: Check = instance => {
        if (!isMet(instance)) return
        this.#remove(key, check)
        resolve(instance)
      }
      this.#ofInstance.set(key, (this.#ofInstance.get(key) ?? new Set()).add(check))
      onGone(() => this.#remove(key, check))
    })
  }

  /** Resolves with the first instance that changes from now on and fits. Never, if the caller leaves before (`onGone`). */
  async first(fits: (instance: Instance) => boolean, onGone: (listener: () => void) => void): Promise<Instance> {
    return new Promise(resolve => {
      const check = (instance: Instance): void => {
        if (!fits(instance)) return
        this.#ofAny.delete(check)
        resolve(instance)
      }
      this.#ofAny.add(check)
      onGone(() => this.#ofAny.delete(check))
    })
  }

  /** Reports a change of an instance; undefined: it was removed. */
  changed(key: number, instance: Instance | undefined): void {
    if (instance !== undefined) for (const check of this.#ofAny) check(instance)
    for (const check of this.#ofInstance.get(key) ?? []) check(instance)
  }

  #remove(key: number, check: Check): void {
    const all = this.#ofInstance.get(key)
    all?.delete(check)
    if (all?.size === 0) this.#ofInstance.delete(key)
  }
}
