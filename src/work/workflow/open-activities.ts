import {ActivityItem} from './work-items.ts'
import type {Instance} from './instance.ts'
import type {OpenActivity} from './workflow-store.ts'

/** The tasks that have no answer yet, found as workers name them, and by their instance. */
export class OpenActivities {
  readonly #named = new Map<string, ActivityItem[]>()
  readonly #ofInstance = new Map<number, Map<number, ActivityItem>>()

  /** `isFar`: an app of another run is to do it. */
  add(activity: OpenActivity, of: Pick<Instance, 'id' | 'app'>, isFar = false): ActivityItem {
    const item = new ActivityItem(activity, of, isFar)
    const key = keyOf(activity.app, of.id, activity.task)
    const named = this.#named.get(key)
    if (named === undefined) this.#named.set(key, [item])
    else {
      item.isBehind = named.some(each => each.activity.instance !== activity.instance)
      named.push(item)
    }
    const own = this.#ofInstance.get(activity.instance)
    if (own === undefined) this.#ofInstance.set(activity.instance, new Map([[activity.task, item]]))
    else own.set(activity.task, item)
    return item
  }

  has({instance, task}: OpenActivity): boolean {
    return this.#ofInstance.get(instance)?.has(task) === true
  }

  /** The oldest that an answer may be to: of those that are not wanted any more only one that a worker has. */
  find(app: string, id: string, task: number, isInHand: (item: ActivityItem) => boolean): ActivityItem | undefined {
    for (const item of this.#named.get(keyOf(app, id, task)) ?? []) {
      if (!item.isDropped || isInHand(item)) return item
      this.remove(item)
    }
    return undefined
  }

  remove(item: ActivityItem): void {
    const {app, task, instance} = item.activity
    const key = keyOf(app, item.id, task)
    const left = (this.#named.get(key) ?? []).filter(each => each !== item)
    if (left.length === 0) this.#named.delete(key)
    else {
      this.#named.set(key, left)
      for (const next of left.slice(0, 1)) next.isBehind = false
    }
    const own = this.#ofInstance.get(instance)
    if (own?.get(task) === item) own.delete(task)
    if (own?.size === 0) this.#ofInstance.delete(instance)
  }

  /** All of an instance, which are not wanted any more. Those that a worker has are still found, as dropped. */
  drop(instance: number): readonly ActivityItem[] {
    const items = [...(this.#ofInstance.get(instance)?.values() ?? [])]
    this.#ofInstance.delete(instance)
    for (const item of items) item.isDropped = true
    return items
  }

  /** One of an instance; undefined: it is not open, or not taken up yet. */
  at(instance: number, task: number): ActivityItem | undefined {
    return this.#ofInstance.get(instance)?.get(task)
  }

  clear(): void {
    this.#named.clear()
    this.#ofInstance.clear()
  }
}

const keyOf = (app: string, id: string, task: number): string => `${app}\0${task}\0${id}`
