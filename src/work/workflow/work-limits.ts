import type {WorkflowSettings} from '../../files/resources/workflow-settings.ts'

/** Names what a limit applies to. */
export interface Limited {
  readonly kind: 'workflows' | 'activities'
  /** The name of the workflow or activity. */
  readonly name: string
}

/** How much work the workers of an app have in hand, of each kind and of each name, and how much they may have, as its Configuration says. */
export class WorkLimits {
  readonly #settings: () => Pick<WorkflowSettings, 'workflows' | 'activities'>
  readonly #counts = {workflows: 0, activities: 0}
  readonly #named = {workflows: new Map<string, number>(), activities: new Map<string, number>()}

  constructor(settings: () => Pick<WorkflowSettings, 'workflows' | 'activities'>) {
    this.#settings = settings
  }

  isFull(kind: Limited['kind']): boolean {
    return this.#counts[kind] >= this.#settings()[kind].all
  }

  /** Whether one more may be under way. */
  hasRoom({kind, name}: Limited): boolean {
    const {all, byName} = this.#settings()[kind]
    return this.#counts[kind] < all && (this.#named[kind].get(name) ?? 0) < (byName.get(name) ?? Infinity)
  }

  /** Adds one to what is under way (`by`: 1), or subtracts one (−1). */
  count({kind, name}: Limited, by: 1 | -1): void {
    this.#counts[kind] += by
    const named = (this.#named[kind].get(name) ?? 0) + by
    if (named > 0) this.#named[kind].set(name, named)
    else this.#named[kind].delete(name)
  }
}
