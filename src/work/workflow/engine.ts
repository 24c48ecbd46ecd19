import type {Clock} from '../../platform/clock.ts'
import type {WorkflowEvent} from '../../model/workflow-event.ts'
import type {WorkTraces} from '../../model/work-trace.ts'
import type {WorkflowAccess} from '../../files/resources/workflow-access.ts'
import type {WorkflowSettings} from '../../files/resources/workflow-settings.ts'
import type {WakeUps} from '../wake-ups.ts'
import type {WorkFile} from '../work-file.ts'
import {FarTasks, type PurgeFar} from './far-tasks.ts'
import type {Instance} from './instance.ts'
import {LeftWork} from './left-work.ts'
import {LiveInstances} from './live-instances.ts'
import {OpenActivities} from './open-activities.ts'
import {ReplayedTurns} from './replayed-turns.ts'
import {WorkCounts} from './work-counts.ts'
import {ActivityItem, TurnItem, type LiveInstance} from './work-items.ts'
import {WorkSpans} from './work-spans.ts'
import {AppWorkers} from './workers.ts'
import {WorkflowStore} from './workflow-store.ts'

export interface EngineOptions {
  readonly file: WorkFile
  readonly wakeUps: WakeUps
  readonly clock: Clock
  /** Says something in the log of an app's sidecar. */
  readonly warn: (app: string, text: string) => void
  /** No worker of an app takes what it is to do: so many workflows wait in the file, of so many bytes. Called once for an app. */
  readonly onMuchWaiting: (app: string, count: number, bytes: number) => void
  /** Whether the run has such an app. */
  readonly hasApp: (app: string) => boolean
  /** `maxBodySize` of an app: a worker that got more would lose its stream. */
  readonly maxBytes: (app: string) => number
  /** `spec.workflow` of an app's Configuration, as it is now. */
  readonly settings: (app: string) => WorkflowSettings
  /** Whether an app may ask that of another one; of itself it may ask anything. */
  readonly isAllowed: (app: string, access: WorkflowAccess) => boolean
  /** The traces of an app; undefined: its sidecar is not open. */
  readonly tracesOf: (app: string) => WorkTraces | undefined
  /** Something waits for an app that this run does not have: another one may. */
  readonly wanted: (app: string) => void
  readonly purgeFar: PurgeFar
  /** Something waits for an app of this run that has no worker. */
  readonly needsWorker?: (app: string) => void
  /** Counts for the metrics of an app. */
  readonly counted: (app: string, event: WorkflowEvent) => void
}

/**
 * What is known of instances and of what workers are to do. `inbox.ts`, `tasks.ts`, `turns.ts` and `take-up.ts`, each on those before it, are
 * what happens to them; all that changes something is called within a change of the file.
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
  readonly far: FarTasks
  readonly replays = new ReplayedTurns()
  readonly leftWork: LeftWork
  readonly spans: WorkSpans
  readonly counts: WorkCounts
  /** Those that were changed since the last commit; undefined: gone before they had ended. */
  readonly changed = new Map<number, Instance | undefined>()
  /** Instances that no worker can take as it is, with their apps, until one connects. */
  readonly held = new Map<number, string>()
  /** Turns of instances that were removed while a worker had them: it may answer them without a token. */
  readonly droppedTurns = new Set<TurnItem>()
  /** Apps of which it was said that much waits. */
  readonly behind = new Set<string>()

  constructor(options: EngineOptions) {
    const {file, clock, wakeUps, tracesOf} = options
    this.options = options
    this.file = file
    this.clock = clock
    this.wakeUps = wakeUps
    this.store = new WorkflowStore(file.database)
    this.live = new LiveInstances(this.store)
    this.leftWork = new LeftWork(this.store)
    this.far = new FarTasks(this.store, this.activities, options.warn)
    this.spans = new WorkSpans(clock, tracesOf)
    this.counts = new WorkCounts({...options, nameOf: key => this.live.at(key)?.instance.name ?? ''})
  }

  workersOf(app: string): AppWorkers {
    let workers = this.workers.get(app)
    if (workers === undefined) this.workers.set(app, (workers = this.#newWorkers(app)))
    return workers
  }

  #newWorkers(app: string): AppWorkers {
    return new AppWorkers(() => this.options.settings(app), {
      onSent: item => this.counts.sent(app, item),
      onLeft: item => {
        this.counts.left(app, item)
        if (item instanceof ActivityItem && item.isDropped) this.forget(item)
        if (item instanceof TurnItem && this.droppedTurns.has(item)) this.forgetTurn(item)
      }
    })
  }

  /** Whether an app may ask that of another one; if not, the log of that one says so. */
  mayAsk(app: string, access: WorkflowAccess): boolean {
    const {isAllowed, warn} = this.options
    if (isAllowed(app, access)) return true
    const {caller, kind, operation, name} = access
    const what = kind === 'activities' ? 'activity' : 'workflow'
    warn(app, `workflow access policy denied app '${caller}' operation '${operation}' on ${what} '${name}'`)
    return false
  }

  /** It is not wanted any more, but one that a worker has is answered once more. */
  dismiss(item: ActivityItem): void {
    const {isFar, activity} = item
    const workers = isFar ? this.far.of(activity.app) : this.workersOf(activity.app)
    if (!workers.isInHand(item)) this.forget(item)
  }

  /** It is answered, or will not be. */
  forget(item: ActivityItem): void {
    const {isFar, activity} = item
    if (isFar) return this.far.remove(item)
    this.workersOf(activity.app).remove(item)
    this.activities.remove(item)
  }

  /** Its turn is over; its worker is free once that is kept: it may be undone. */
  endTurn(live: LiveInstance): void {
    const {turn} = live
    live.turn = undefined
    if (turn !== undefined) this.file.afterCommit(() => this.forgetTurn(turn))
  }

  /** Its turn comes to nothing; one that a worker has is answered once more. */
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

  /** Writes what has changed of it. */
  write(instance: Instance): void {
    this.store.update(instance)
    this.changed.set(instance.key, instance)
  }
}
