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

type Replayed = WorkItem & {
  readonly look: () => void
  readonly answer: {readonly resolve: (answer: TurnResponse) => void}
}

export interface EngineOptions {
  readonly file: WorkFile
  readonly wakeUps: WakeUps
  readonly clock: Clock
  readonly warn: (app: string, text: string) => void
  /** Called once for an app whose workers accept no work: `count` workflows of `bytes` wait in the file. */
  readonly onMuchWaiting: (app: string, count: number, bytes: number) => void
  readonly hasApp: (app: string) => boolean
  /** `maxBodySize` of an app: a larger message would break the stream of its worker. */
  readonly maxBytes: (app: string) => number
  /** Returns the current `spec.workflow` of an app's Configuration. */
  readonly settings: (app: string) => WorkflowSettings
  /** Whether an app may ask this of another app; of itself it may ask anything. */
  readonly isAllowed: (app: string, access: WorkflowAccess) => boolean
  readonly tracesOf: (app: string) => WorkTraces | undefined
  /** Called when work waits for an app without a worker. Returns whether it may get one soon. `leftAt`: when its last worker left (`AppWorkers`). */
  readonly needsWorker?: (app: string, leftAt: number) => boolean
  /** Called when the first worker of an app connects. */
  readonly onFirstWorker: (app: string) => void
  readonly counted: (app: string, event: WorkflowEvent) => void
}

/**
 * Known instances, and the work for workers. `inbox.ts`, `tasks.ts`, `turns.ts` and `take-up.ts` are the operations, each built on those
 * before it. Call every operation that changes something within a change of the file.
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
  /** Finished turns that a worker gets again (`workflow replay`). Meanwhile the instance (`app id`) has no other turn. */
  readonly replays = new Map<string, Replayed>()
  readonly leftWork: LeftWork
  /** Whether a change was rolled back, so that memory must be read from the file again. */
  isUndone = false
  /** Instances that were changed since the last commit; undefined: removed before they had ended. */
  readonly changed = new Map<number, Instance | undefined>()
  /** Instances that no connected worker can continue, with their apps, until another worker connects. */
  readonly held = new Map<number, string>()
  /** Apps for which a message is too large. Their next worker may accept more. */
  readonly large = new Set<string>()
  /** Turns of instances that were removed while a worker had them: it may answer them without a token. */
  readonly droppedTurns = new Set<TurnItem>()
  /** Apps for which `onMuchWaiting` was called. */
  readonly behind = new Set<string>()
  /** Warnings about missing apps that were given. */
  readonly warned = new Set<string>()

  constructor(options: EngineOptions) {
    const {file, clock, wakeUps} = options
    // only after the commit: a change that cannot be written is repeated each second
    const warn: EngineOptions['warn'] = (...said) => file.afterCommit(() => options.warn(...said))
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
        // an unwanted activity is not given to another worker
        if (item instanceof ActivityItem && item.isDropped) this.forget(item)
        if (item instanceof TurnItem && this.droppedTurns.has(item)) this.forgetTurn(item)
      }
    })
    this.workers.set(app, workers)
    return workers
  }

  #workersFor({activity: {app}}: ActivityItem): AppWorkers {
    return this.workersOf(app)
  }

  /** Whether an app may ask this of another app. A refusal is written to the other app's log. */
  mayAsk(app: string, access: WorkflowAccess): boolean {
    const {isAllowed, warn} = this.options
    if (isAllowed(app, access)) return true
    const {caller, kind, operation, name} = access
    const what = kind === 'activities' ? 'activity' : 'workflow'
    warn(app, `workflow access policy denied app '${caller}' operation '${operation}' on ${what} '${name}'`)
    return false
  }

  /** Sends an activity to a worker of its app. */
  add(activity: OpenActivity, of: Pick<Instance, 'id' | 'app'>): ActivityItem {
    const item = this.activities.add(activity, of)
    this.noteMissing(activity.app, of.app, `activity '${item.name}'`)
    this.#workersFor(item).add(item)
    return item
  }

  /** Warns once of each task that waits for an app which the template does not have. */
  noteMissing(app: string, source: string, what: string): void {
    const text = `${what} waits for app '${app}', which the template does not have`
    if (this.options.hasApp(app) || this.warned.has(text)) return
    this.warned.add(text)
    this.options.warn(source, text)
  }

  /** Drops an open activity that is no longer wanted. */
  drop(item: ActivityItem): void {
    this.activities.drop(item)
    this.dismiss(item)
  }

  /** Drops an activity that is no longer wanted. If a worker has it, its answer is still expected. */
  dismiss(item: ActivityItem): void {
    if (!this.#workersFor(item).isInHand(item)) this.forget(item)
  }

  /**
   * Forgets an activity that was answered, or will not be. `sent`: the dispatch that was answered; a worker that got a later one
   * will answer that, perhaps without a token.
   */
  forget(item: ActivityItem, sent = item.token): void {
    if (item.token !== sent) {
      if (this.activities.at(item.activity) === item) this.drop(item)
      return
    }
    this.#workersFor(item).remove(item)
    this.activities.remove(item)
  }

  /** Drops the turn of an instance; if a worker has it, its answer is still expected. */
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

/** Tasks without an answer, found by the name that workers use, and by instance. */
class OpenActivities {
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
