import type {OpenActivity, TaskKey, WorkflowStore} from './workflow-store.ts'

/** Maximum number of rows in a portion. Reading so many blocks the event loop for some ms. */
export const PORTION = 500
/** Maximum size of the rows in a portion. */
export const PORTION_BYTES = 4 << 20

interface Cursor {
  entry: number
  activity: TaskKey
  /** Number of rows that are not read yet, roughly, and their bytes. */
  left: number
  bytes: number
}

interface Portion {
  /** Keys of instances with waiting entries, in the order of these entries. */
  readonly instances: readonly number[]
  readonly activities: readonly OpenActivity[]
}

/** The work of each app that is in the file, and not in memory. Reads it in portions, as workers accept it. */
export class LeftWork {
  readonly #store: WorkflowStore
  readonly #cursors = new Map<string, Cursor>()

  constructor(store: WorkflowStore) {
    this.#store = store
  }

  begin(): void {
    this.#cursors.clear()
    for (const {app, count, bytes: size} of this.#store.waiting()) {
      const {left = 0, bytes = 0} = this.#cursors.get(app) ?? {}
      this.#cursors.set(app, {entry: 0, activity: FIRST_ACTIVITY, left: left + count, bytes: bytes + size})
    }
  }

  /** Notes an instance whose inbox entries stay in the file. `entry`: id of the latest. */
  add(app: string, entry: number, bytes: number): void {
    const cursor = this.#cursors.get(app) ?? {entry, activity: LAST_ACTIVITY, left: 0, bytes: 0}
    // the cursor may be behind `entry`: SQLite reuses the id of a removed last row
    cursor.entry = Math.min(cursor.entry, entry - 1)
    cursor.left++
    cursor.bytes += bytes
    this.#cursors.set(app, cursor)
  }

  again(app: string): void {
    const {left, bytes} = this.#cursors.get(app) ?? {left: 0, bytes: 0}
    this.#cursors.set(app, {entry: 0, activity: FIRST_ACTIVITY, left, bytes})
  }

  get apps(): readonly string[] {
    return [...this.#cursors.keys()]
  }

  /** Returns how much work of an app is not read yet; undefined: all was read. */
  of(app: string): Readonly<Pick<Cursor, 'left' | 'bytes'>> | undefined {
    return this.#cursors.get(app)
  }

  next(app: string): Portion {
    const cursor = this.#cursors.get(app)
    if (cursor === undefined) return {instances: [], activities: []}
    const entries = this.#store.waitingEntries(app, cursor.entry, PORTION)
    const tasks = this.#store.waitingActivities(app, cursor.activity, PORTION)
    const [inbox, due] = [portionOf(entries), portionOf(tasks)]
    cursor.entry = inbox.at(-1)?.id ?? cursor.entry
    cursor.activity = due.at(-1) ?? cursor.activity
    const instances = [...new Set(inbox.map(({instance}) => instance))]
    cursor.left = Math.max(0, cursor.left - instances.length - due.length)
    cursor.bytes = Math.max(0, cursor.bytes - [...inbox, ...due].reduce((sum, {bytes}) => sum + bytes, 0))
    const isAll = (some: readonly unknown[], all: readonly unknown[]): boolean =>
      some.length === all.length && all.length < PORTION
    if (isAll(inbox, entries) && isAll(due, tasks)) this.#cursors.delete(app)
    return {instances, activities: due.flatMap(key => this.#store.activityAt(key) ?? [])}
  }

  clear(): void {
    this.#cursors.clear()
  }
}

const FIRST_ACTIVITY = {instance: 0, task: -1}
const LAST_ACTIVITY = {instance: Number.MAX_SAFE_INTEGER, task: 0}

/** Returns as many first rows as fit in a portion, at least one. */
function portionOf<T extends {readonly bytes: number}>(rows: readonly T[]): readonly T[] {
  let sum = 0
  const end = rows.findIndex(({bytes}, at) => (sum += bytes) > PORTION_BYTES && at > 0)
  return end < 0 ? rows : rows.slice(0, end)
}
