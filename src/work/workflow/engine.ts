import type {Clock} from '../../platform/clock.ts'
import type {WorkflowEvent, WorkTraces} from '../../model/work-event.ts'
import type {WorkflowAccess, WorkflowSettings} from '../../model/workflow-settings.ts'
import type {WakeUps} from '../wake-ups.ts'
import type {WorkFile} from '../work-file.ts'
import type {Instance} from './instance.ts'
import {LeftWork} from './left-work.ts'
import {LiveInstances} from './live-instances.ts'
import type {TurnResponse} from './messages.ts'
import {countLeft, countSent} from './work-counts.ts'
import {ActivityItem, TurnItem, type LiveInstance} from './work-items.ts'
import {AppWorkers, type WorkItem} from './workers.ts'
import {WorkflowStore, type OpenActivity, type TaskKey} from './workflow-store.ts'

/** A finished turn that a worker gets again. `look`: called when the turn of its instance may have ended. */
type Replayed = WorkItem & {
  readonly look: () => void
  readonly answer: {readonly resolve: (answer: TurnResponse) => void}
}

export interface EngineOptions {
  readonly file: WorkFile
  readonly wakeUps: WakeUps
  readonly clock: Clock
  readonly warn: (app: string, text: string) => void
  /** Called once for an app whose workers do not accept the work: `count` workflows of `bytes` wait in the file. */
  readonly onMuchWaiting: (app: string, count: number, bytes: number) => void
  readonly hasApp: (app: string) => boolean
  /** `maxBodySize` of an app: a larger message would break the stream of its worker. */
  readonly maxBytes: (app: string) => number
  /** Returns the current `spec.workflow` of an app's Configuration. */
  readonly settings: (app: string) => WorkflowSettings
  /** Whether the access policies of an app allow a request of the caller. An app may always call itself. */
  readonly isAllowed: (app: string, access: WorkflowAccess) => boolean
  readonly tracesOf: (app: string) => WorkTraces | undefined
  /** Wakes an app without a worker for waiting work. Returns whether it may get one soon. `leftAt`: when its last worker left (`AppWorkers`). */
  readonly needsWorker?: (app: string, leftAt: number) => boolean
  /** Called when the first worker of an app connects. */
  readonly onFirstWorker: (app: string) => void
  readonly counted: (app: string, event: WorkflowEvent) => void
}

/**
 * The state of all workflows: instances in memory, the work for workers, and who has it. The operations on it are functions of `inbox.ts`,
 * `tasks.ts`, `turns.ts` and `take-up.ts`, each file built on those before it. Call those that write within a change of the file.
 */
export class Engine {
  readonly options: EngineOptions
  readonly file: WorkFile
  readonly clock: Clock
  readonly wakeUps: WakeUps
  readonly store: WorkflowStore
  readonly live: LiveInstances
  readonly activities = new OpenActivities()
  readonly workers = new Map<string, AppWorkers>()
  /** Turns that `workflow replay` sends again, by instance (`nameOf`). Meanwhile the instance gets no other turn. */
  readonly replays = new Map<string, Replayed>()
  readonly leftWork: LeftWork
  /** Whether a change was rolled back, and memory not read from the file again yet. */
  isUndone = false
  /** Instances changed since the last commit, by key; undefined: removed before its end. */
  readonly changed = new Map<number, Instance | undefined>()
  /** Apps of stalled instances, by the keys of the instances, which get no turn until another worker of the app connects. */
  readonly held = new Map<number, string>()
  /** Apps that had work larger than `maxBytes`. When their next worker connects, the work is read from the file again. */
  readonly large = new Set<string>()
  /** Turns that a worker has although they are not wanted any more: an answer without a token may be for one of these. */
  readonly droppedTurns = new Set<TurnItem>()
  /** Apps for which `onMuchWaiting` was called. */
  readonly behind = new Set<string>()
  /** Keys of warnings that must not be repeated. */
  readonly warned = new Set<string>()

  constructor(options: EngineOptions) {
    const {file, clock, wakeUps} = options
    // only after the commit: while the file cannot be written, `keep` repeats a change each second
    const warn: EngineOptions['warn'] = (...warning) => file.afterCommit(() => options.warn(...warning))
    const counted: EngineOptions['counted'] = (...event) => file.afterCommit(() => options.counted(...event))
    this.options = {...options, warn, counted}
    this.file = file
    this.clock = clock
    this.wakeUps = wakeUps
    this.store = new WorkflowStore(file.database)
    this.live = new LiveInstances(this.store)
    this.leftWork = new LeftWork(this.store)
  }

  workersOf(app: string): AppWorkers {
    const known = this.workers.get(app)
    if (known !== undefined) return known
    const workers = new AppWorkers(() => this.options.settings(app), this.clock, {
      onSent: item => countSent(this, app, item),
      onLeft: item => {
        countLeft(this, app, item)
        // an unwanted activity or turn does not go to another worker
        if (item instanceof ActivityItem && item.isDropped) this.forget(item)
        if (item instanceof TurnItem && this.droppedTurns.has(item)) this.forgetTurn(item)
      }
    })
    this.workers.set(app, workers)
    return workers
  }

  /** Whether the access policies of an app allow a request. Logs a refusal in that app's log. */
  mayAsk(app: string, access: WorkflowAccess): boolean {
    const {isAllowed, warn} = this.options
    if (isAllowed(app, access)) return true
    const {caller, kind, operation, name} = access
    const what = kind === 'activities' ? 'activity' : 'workflow'
    warn(app, `workflow access policy denied app '${caller}' operation '${operation}' on ${what} '${name}'`)
    return false
  }

  /** Queues an activity for a worker of its app. `of`: the instance that asks for it. */
  add(activity: OpenActivity, of: Pick<Instance, 'id' | 'app'>): ActivityItem {
    const item = this.activities.add(activity, of)
    this.noteMissing(activity.app, of.app, `activity '${item.name}'`)
    this.workersOf(activity.app).add(item)
    return item
  }

  /** Warns once of each task that waits for an app which the template does not have. */
  noteMissing(app: string, source: string, what: string): void {
    const text = `${what} waits for app '${app}', which the template does not have`
    if (this.options.hasApp(app) || this.warned.has(text)) return
    this.warned.add(text)
    this.options.warn(source, text)
  }

  /** Marks an open activity as unwanted. */
  drop(item: ActivityItem): void {
    this.activities.drop(item)
    this.dismiss(item)
  }

  /** Removes an unwanted activity, unless a worker has it: that will still answer. */
  dismiss(item: ActivityItem): void {
    if (!this.workersOf(item.activity.app).isInHand(item)) this.forget(item)
  }

  /**
   * Removes an activity that has its answer, or expects none. `sent`: the token of the answered dispatch. If the activity was dispatched
   * again since, another worker will answer, perhaps without a token: then it is only marked as unwanted.
   */
  forget(item: ActivityItem, sent = item.token): void {
    if (item.token !== sent) {
      if (this.activities.at(item.activity) === item) this.drop(item)
      return
    }
    this.workersOf(item.activity.app).remove(item)
    this.activities.remove(item)
  }

  /** Drops the turn of an instance. If a worker has it, notes that its answer will arrive. */
  dropTurn(live: LiveInstance): void {
    const {turn} = live
    if (turn === undefined) return
    live.turn = undefined
    if (this.workersOf(live.instance.app).isInHand(turn)) this.droppedTurns.add(turn)
    else this.forgetTurn(turn)
  }

  forgetTurn(turn: TurnItem): void {
    this.workersOf(turn.live.instance.app).remove(turn)
    this.droppedTurns.delete(turn)
  }

  write(instance: Instance): void {
    this.store.update(instance)
    this.changed.set(instance.key, instance)
  }
}

/** Activities without an answer, found by the name that workers use (instance id and task number), and by instance. */
class OpenActivities {
  /** Activities of each name, the oldest first. An answer without a token belongs to the oldest. */
  readonly #named = new Map<string, readonly ActivityItem[]>()
  readonly #ofInstance = new Map<number, Map<number, ActivityItem>>()

  add(activity: OpenActivity, of: Pick<Instance, 'id' | 'app'>): ActivityItem {
    const key = keyOf(activity.app, of.id, activity.task)
    const item = new ActivityItem(activity, of, () => this.#named.get(key)?.[0] === item)
    this.#named.set(key, [...(this.#named.get(key) ?? []), item])
    this.#addToInstance(item)
    return item
  }

  at({instance, task}: TaskKey): ActivityItem | undefined {
    return this.#ofInstance.get(instance)?.get(task)
  }

  /** Returns all activities of a name, the oldest first, including unwanted ones that a worker has. */
  named(app: string, id: string, task: number): readonly ActivityItem[] {
    return this.#named.get(keyOf(app, id, task)) ?? []
  }

  remove(item: ActivityItem): void {
    const {app, task} = item.activity
    const key = keyOf(app, item.id, task)
    const left = this.named(app, item.id, task).filter(each => each !== item)
    if (left.length === 0) this.#named.delete(key)
    else this.#named.set(key, left)
    this.#removeFromInstance(item)
  }

  ofInstance(instance: number): readonly ActivityItem[] {
    return [...(this.#ofInstance.get(instance)?.values() ?? [])]
  }

  /** Marks an activity as unwanted: `named` still finds it, `at` does not. */
  drop(item: ActivityItem): void {
    item.isDropped = true
    this.#removeFromInstance(item)
  }

  /** Compares all activities with the file: marks those that it does not have as unwanted, and returns them. The others are wanted again. */
  reread(isOpen: (activity: OpenActivity) => boolean): readonly ActivityItem[] {
    const items = [...this.#named.values()].flat()
    for (const item of items) {
      item.isDropped = !isOpen(item.activity)
      if (item.isDropped) this.#removeFromInstance(item)
      else this.#addToInstance(item)
    }
    return items.filter(({isDropped}) => isDropped)
  }

  #addToInstance(item: ActivityItem): void {
    const {instance, task} = item.activity
    this.#ofInstance.set(instance, (this.#ofInstance.get(instance) ?? new Map<number, ActivityItem>()).set(task, item))
  }

  #removeFromInstance(item: ActivityItem): void {
    const {instance, task} = item.activity
    const own = this.#ofInstance.get(instance)
    if (own?.get(task) === item) own.delete(task)
    if (own?.size === 0) this.#ofInstance.delete(instance)
  }
}

const keyOf = (app: string, id: string, task: number): string => `${app}\0${task}\0${id}`
