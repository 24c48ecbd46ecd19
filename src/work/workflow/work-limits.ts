import type {WorkflowSettings} from '../../files/resources/workflow-settings.ts'

/** What a limit may be about. */
export interface Limited {
  readonly kind: 'workflows' | 'activities'
  /** Of the workflow, or the activity. */
  readonly name: string
}

/** What is under way of a kind, and what waits because that is as much as may be. */
class Kind<T> {
  count = 0
  readonly byName = new Map<string, number>()
  /** They wait until fewer of the kind are under way … */
  readonly held = new Set<T>()
  /** … and these, until fewer of their name are. */
  readonly heldByName = new Map<string, Set<T>>()
}

/** How much the workers of an app may have in hand at a time, as its Configuration says, and what waits therefore, in order. */
export class WorkLimits<T extends Limited> {
  readonly #settings: () => Pick<WorkflowSettings, 'workflows' | 'activities'>
  readonly #kinds = {workflows: new Kind<T>(), activities: new Kind<T>()}

  constructor(settings: () => Pick<WorkflowSettings, 'workflows' | 'activities'>) {
    this.#settings = settings
  }

  /** Whether it has to wait, behind those that wait already: it is kept then. */
  holds(item: T): boolean {
    const queue = this.#queueOf(item)
    queue?.add(item)
    return queue !== undefined
  }

  /** How many have to wait. */
  get held(): number {
    return Object.values(this.#kinds).reduce((sum, {held, heldByName}) => {
      const named = [...heldByName.values()].reduce((all, queue) => all + queue.size, 0)
      return sum + held.size + named
    }, 0)
  }

  /** Those that need not wait any more, the oldest first. Who sends one takes it. */
  *free(): Iterable<T> {
    for (const kind of Object.values(this.#kinds))
      for (const queue of [kind.held, ...kind.heldByName.values()])
        for (const item of queue) {
          const now = this.#queueOf(item)
          if (now === queue) break
          if (now === undefined) yield item
          else {
            queue.delete(item)
            now.add(item)
          }
        }
  }

  /** It is under way. */
  take(item: T): void {
    const kind = this.#kinds[item.kind]
    kind.count++
    kind.byName.set(item.name, (kind.byName.get(item.name) ?? 0) + 1)
    this.forget(item)
  }

  /** It is not under way any more. */
  giveBack(item: T): void {
    const kind = this.#kinds[item.kind]
    kind.count--
    const left = (kind.byName.get(item.name) ?? 0) - 1
    if (left > 0) kind.byName.set(item.name, left)
    else kind.byName.delete(item.name)
  }

  /** It waits no more. */
  forget(item: T): void {
    const {held, heldByName} = this.#kinds[item.kind]
    held.delete(item)
    const named = heldByName.get(item.name)
    named?.delete(item)
    if (named?.size === 0) heldByName.delete(item.name)
  }

  /** Where it has to wait; undefined: it may go. */
  #queueOf({kind: of, name}: T): Set<T> | undefined {
    const {all, byName} = this.#settings()[of]
    const kind = this.#kinds[of]
    if (kind.count >= all) return kind.held
    const max = byName.size === 0 ? undefined : byName.get(name)
    if (max === undefined || (kind.byName.get(name) ?? 0) < max) return undefined
    let named = kind.heldByName.get(name)
    if (named === undefined) kind.heldByName.set(name, (named = new Set()))
    return named
  }
}
