import type {Instance} from './instance.ts'
import {LiveInstance, type TurnItem} from './work-items.ts'
import type {WorkflowStore} from './workflow-store.ts'

/** Maximum size of instances without a turn in memory, with their histories. The least recently used are dropped, and read again later. */
const MAX_KEPT_BYTES = 16 << 20

const OBJECT_BYTES = 1000

/** The instances in memory: those with a turn, and recently used ones. All others are only in the file. */
export class LiveInstances {
  readonly #store: WorkflowStore
  readonly #live = new Map<number, LiveInstance>()
  /** Instances without a turn, the least recently used one first, with their bytes. */
  readonly #idle = new Map<LiveInstance, number>()
  #idleBytes = 0

  constructor(store: WorkflowStore) {
    this.#store = store
  }

  at(key: number): LiveInstance | undefined {
    const known = this.#live.get(key)
    if (known !== undefined) return known
    const instance = this.#store.at(key)
    if (instance === undefined) return undefined
    return this.#keep(new LiveInstance(instance, this.#store.history(key), this.#store.inbox(key)))
  }

  begin(instance: Instance): LiveInstance {
    return this.#keep(new LiveInstance(instance, [], []))
  }

  #keep(live: LiveInstance): LiveInstance {
    this.#live.set(live.instance.key, live)
    this.rest(live)
    return live
  }

  find(app: string, id: string): LiveInstance | undefined {
    const key = this.#store.keyOf(app, id)
    return key === undefined ? undefined : this.at(key)
  }

  /** Keeps an instance in memory, since it has a turn. */
  use(live: LiveInstance): void {
    this.#idleBytes -= this.#idle.get(live) ?? 0
    this.#idle.delete(live)
  }

  /** Allows dropping an instance from memory, since it has no turn. */
  rest(live: LiveInstance): void {
    this.use(live)
    const bytes = live.turnBytes + (live.instance.input?.length ?? 0) + OBJECT_BYTES
    this.#idle.set(live, bytes)
    this.#idleBytes += bytes
    for (const [oldest] of this.#idle) {
      if (this.#idleBytes <= MAX_KEPT_BYTES || oldest === live) return
      this.forget(oldest)
    }
  }

  /** Gives a turn back to its instance after the change that ended it was undone. */
  adopt(turn: TurnItem): void {
    const {live} = turn
    live.turn = turn
    this.#live.set(live.instance.key, live)
    this.use(live)
  }

  forget(live: LiveInstance): void {
    this.use(live)
    this.#live.delete(live.instance.key)
  }

  get inTurn(): readonly LiveInstance[] {
    return [...this.#live.values()].filter(({turn}) => turn !== undefined)
  }

  /** Reads instances with a turn from the file again, and drops the others from memory. */
  reread(): void {
    for (const live of this.#live.values()) {
      const {key} = live.instance
      const instance = live.turn && this.#store.at(key)
      if (instance === undefined) this.forget(live)
      else live.reread(instance, () => this.#store.history(key), this.#store.inbox(key))
    }
  }
}
