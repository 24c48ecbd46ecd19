import type {OpenActivity, WorkflowStore} from './workflow-store.ts'

/** So much is read at a time: some milliseconds. */
export const PORTION = 500

/** How far an app's has been read. */
interface Cursor {
  letter: number
  activity: Pick<OpenActivity, 'instance' | 'task'>
  /** How much is not read yet. */
  left: number
}

/** What comes next of an app. */
export interface Portion {
  /** Rows of instances that something has come for, in the order in which it came. */
  readonly instances: readonly number[]
  readonly activities: readonly OpenActivity[]
}

/** What an earlier run has left for the workers of each app: it is read in portions, as they take it. */
export class LeftWork {
  readonly #store: WorkflowStore
  readonly #cursors = new Map<string, Cursor>()

  constructor(store: WorkflowStore) {
    this.#store = store
  }

  /** Begins with all that the file has now. */
  begin(): void {
    this.#cursors.clear()
    for (const {app, count} of this.#store.waiting()) {
      const left = (this.#cursors.get(app)?.left ?? 0) + count
      this.#cursors.set(app, {letter: 0, activity: {instance: 0, task: -1}, left})
    }
  }

  /** Those of which not all is read. */
  get apps(): readonly string[] {
    return [...this.#cursors.keys()]
  }

  /** How much of an app's is not read. */
  left(app: string): number {
    return this.#cursors.get(app)?.left ?? 0
  }

  next(app: string): Portion {
    const cursor = this.#cursors.get(app)
    if (cursor === undefined) return {instances: [], activities: []}
    const letters = this.#store.letters(app, cursor.letter, PORTION)
    const activities = this.#store.activities(app, cursor.activity, PORTION)
    cursor.letter = letters.at(-1)?.id ?? cursor.letter
    cursor.activity = activities.at(-1) ?? cursor.activity
    const instances = [...new Set(letters.map(({instance}) => instance))]
    cursor.left = Math.max(0, cursor.left - instances.length - activities.length)
    if (letters.length < PORTION && activities.length < PORTION) this.#cursors.delete(app)
    return {instances, activities}
  }

  clear(): void {
    this.#cursors.clear()
  }
}
