import type {Instance} from './instance.ts'

/** Checks an instance against the state that a caller waits for; undefined if the instance is gone. */
type Look = (instance: Instance | undefined) => void

/** Callers that wait until an instance is in some state. */
export class Waiters {
  readonly #waiting = new Map<number, Set<Look>>()
  /** Callers that wait for an instance that does not exist yet. */
  readonly #looking = new Set<(instance: Instance) => void>()

  /** Resolves when `isMet` is true (`now`: the stored instance); never if the listener of `onGone` is called before. */
  async wait(
    key: number,
    now: Instance | undefined,
    isMet: (instance: Instance | undefined) => boolean,
    onGone: (listener: () => void) => void = () => undefined
  ): Promise<Instance | undefined> {
    if (isMet(now)) return now
    return new Promise(resolve => {
      const look: Look = instance => {
        if (!isMet(instance)) return
        this.#remove(key, look)
        resolve(instance)
      }
      this.#waiting.set(key, (this.#waiting.get(key) ?? new Set()).add(look))
      onGone(() => this.#remove(key, look))
    })
  }

  /** Resolves with the first instance that fits, from now on; `onGone` as above. */
  async first(fits: (instance: Instance) => boolean, onGone: (listener: () => void) => void): Promise<Instance> {
    return new Promise(resolve => {
      const look = (instance: Instance): void => {
        if (!fits(instance)) return
        this.#looking.delete(look)
        resolve(instance)
      }
      this.#looking.add(look)
      onGone(() => this.#looking.delete(look))
    })
  }

  tell(key: number, instance: Instance | undefined): void {
    if (instance !== undefined) for (const look of this.#looking) look(instance)
    for (const look of this.#waiting.get(key) ?? []) look(instance)
  }

  #remove(key: number, look: Look): void {
    const all = this.#waiting.get(key)
    all?.delete(look)
    if (all?.size === 0) this.#waiting.delete(key)
  }
}
