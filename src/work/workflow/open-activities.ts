import {ActivityItem} from './work-items.ts'
import type {Instance} from './instance.ts'
import type {OpenActivity, TaskKey} from './workflow-store.ts'

/** Tasks without an answer, found by the name that workers use, and by instance. */
export class OpenActivities {
  /** In the order in which they were added. A worker without tokens can only mean the first of a name. */
  readonly #named = new Map<string, readonly ActivityItem[]>()
  readonly #ofInstance = new Map<number, Map<number, ActivityItem>>()

  add(activity: OpenActivity, of: Pick<Instance, 'id' | 'app'>): ActivityItem {
    const key = keyOf(activity.app, of.id, activity.task)
    const item = new ActivityItem(activity, of, () => this.#named.get(key)?.[0] === item)
    this.#named.set(key, [...(this.#named.get(key) ?? []), item])
    this.#want(item)
    return item
  }

  at({instance, task}: TaskKey): ActivityItem | undefined {
    return this.#ofInstance.get(instance)?.get(task)
  }

  /** Returns all tasks of a name, the oldest first, including dropped ones that a worker has. */
  named(app: string, id: string, task: number): readonly ActivityItem[] {
    return this.#named.get(keyOf(app, id, task)) ?? []
  }

  remove(item: ActivityItem): void {
    const {app, task} = item.activity
    const key = keyOf(app, item.id, task)
    const left = this.named(app, item.id, task).filter(each => each !== item)
    if (left.length === 0) this.#named.delete(key)
    else this.#named.set(key, left)
    this.#forget(item)
  }

  ofInstance(instance: number): readonly ActivityItem[] {
    return [...(this.#ofInstance.get(instance)?.values() ?? [])]
  }

  /** Drops an unwanted task. If a worker has it, it is still found, as dropped. */
  drop(item: ActivityItem): void {
    item.isDropped = true
    this.#forget(item)
  }

  /** Drops tasks that differ from the file, and returns them. The others are wanted again. */
  reread(isOpen: (activity: OpenActivity) => boolean): readonly ActivityItem[] {
    const items = [...this.#named.values()].flat()
    for (const item of items) {
      item.isDropped = !isOpen(item.activity)
      if (item.isDropped) this.#forget(item)
      else this.#want(item)
    }
    return items.filter(({isDropped}) => isDropped)
  }

  #want(item: ActivityItem): void {
    const {instance, task} = item.activity
    this.#ofInstance.set(instance, (this.#ofInstance.get(instance) ?? new Map<number, ActivityItem>()).set(task, item))
  }

  #forget(item: ActivityItem): void {
    const {instance, task} = item.activity
    const own = this.#ofInstance.get(instance)
    if (own?.get(task) === item) own.delete(task)
    if (own?.size === 0) this.#ofInstance.delete(instance)
  }
}

const keyOf = (app: string, id: string, task: number): string => `${app}\0${task}\0${id}`
