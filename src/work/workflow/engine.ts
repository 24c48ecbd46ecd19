import {randomUUID} from 'node:crypto'
import type {Clock} from '../../platform/clock.ts'
import type {WorkflowEvent} from '../../model/workflow-event.ts'
import type {WorkTraces} from '../../model/work-trace.ts'
import type {WorkflowAccess} from '../../files/resources/workflow-access.ts'
import type {WorkflowSettings} from '../../files/resources/workflow-settings.ts'
import type {WakeUps} from '../wake-ups.ts'
import type {Instance, InboxEntry} from './instance.ts'
import {FarTasks} from './far-tasks.ts'
import {startEventOf} from './start-event.ts'
import {LeftWork} from './left-work.ts'
import type {Creation} from './instance.ts'
import {LiveInstances} from './live-instances.ts'
import {InstanceEnds} from './instance-ends.ts'
import {OpenActivities} from './open-activities.ts'
import {readEvent, splitEvents} from './messages.ts'
import {forwardedHistory} from './propagation.ts'
import {ReplayedTurns} from './replayed-turns.ts'
import {Retention} from './retention.ts'
import {CONTINUED_AS_NEW, RUNNING, isTerminal, statusName} from './status.ts'
import type {Rerun} from './rerun.ts'
import {Tasks} from './tasks.ts'
import type {Turn, TurnStart} from './turn.ts'
import {TurnQueue} from './turn-queue.ts'
import {AppWorkers} from './workers.ts'
import {WorkSpans} from './work-spans.ts'
import {WorkCounts} from './work-counts.ts'
import {ActivityItem, type LiveInstance} from './work-items.ts'
import {keptStart, START, type OpenActivity, type WorkflowStore} from './workflow-store.ts'

/** It continues as new so often without a pause (durabletask-go: backend/orchestration.go) … */
const MAX_ROUNDS = 20
/** … and then waits. */
const PAUSE_MS = 1000

/** So many workflows, or bytes of them, that no worker has taken are worth a warning. */
const MUCH = 10_000
const MUCH_BYTES = 64 << 20

export interface EngineOptions {
  readonly store: WorkflowStore
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
  /** Counts for the metrics of an app. */
  readonly counted: (app: string, event: WorkflowEvent) => void
}

/** What happens to instances. All that changes them is called within a change of the file. */
export class Engine {
  readonly live: LiveInstances
  readonly turns: TurnQueue
  readonly tasks: Tasks
  readonly spans: WorkSpans
  readonly activities = new OpenActivities()
  readonly far: FarTasks
  readonly replays = new ReplayedTurns()
  readonly workers = new Map<string, AppWorkers>()
  /** Those that were changed since the last commit; undefined: gone before they had ended. */
  readonly changed = new Map<number, Instance | undefined>()
  readonly leftWork: LeftWork
  readonly #store: WorkflowStore
  readonly #wakeUps: WakeUps
  readonly #clock: Clock
  readonly #settings: EngineOptions['settings']
  readonly #counts: WorkCounts
  readonly #retention: Retention
  readonly #ends: InstanceEnds
  readonly #onMuchWaiting: EngineOptions['onMuchWaiting']
  /** Apps of which it was said that much waits. */
  readonly #behind = new Set<string>()

  constructor(options: EngineOptions) {
    const {store, wakeUps, clock, warn, hasApp, maxBytes, settings, isAllowed, counted, tracesOf} = options
    this.#onMuchWaiting = options.onMuchWaiting
    this.spans = new WorkSpans(clock, tracesOf)
    this.#store = store
    this.leftWork = new LeftWork(store)
    this.#wakeUps = wakeUps
    this.#clock = clock
    this.#settings = settings
    this.#counts = new WorkCounts({clock, counted, maxBytes, nameOf: key => this.live.at(key)?.instance.name ?? ''})
    this.#retention = new Retention({wakeUps, clock, settings, expired: key => this.#expire(key)})
    this.live = new LiveInstances(store)
    const workersOf = this.workersOf.bind(this)
    this.turns = new TurnQueue({
      store,
      clock,
      live: this.live,
      warn,
      maxBytes,
      workersOf,
      staysInFile: live => this.#staysInFile(live),
      isReplayed: instance => this.replays.has(instance),
      changed: instance => this.changed.set(instance.key, instance),
      terminate: (live, entry) => this.#terminate(live, entry)
    })
    this.far = new FarTasks({store, activities: this.activities, warn})
    const {turns, activities, far} = this
    const {spans} = this
    const shared = {store, wakeUps, clock, turns, workersOf, spans, far}
    const mayAsk: Tasks['mayAsk'] = (app, access) => this.tasks.mayAsk(app, access)
    this.#ends = new InstanceEnds({...shared, retention: this.#retention, counts: this.#counts, mayAsk})
    this.tasks = new Tasks({...shared, warn, hasApp, isAllowed, activities, create: this.create.bind(this)})
    this.takeUp()
    wakeUps.serve(START, ({owner, name, data}) => {
      this.turns.post(owner, {kind: 'start', name: '', event: store.wholeStart(owner, name, data)})
    })
  }

  workersOf(app: string): AppWorkers {
    let workers = this.workers.get(app)
    if (workers === undefined) this.workers.set(app, (workers = this.#newWorkers(app)))
    return workers
  }

  #newWorkers(app: string): AppWorkers {
    return new AppWorkers(() => this.#settings(app), {
      onSent: item => this.#counts.sent(app, item),
      onLeft: item => {
        this.#counts.left(app, item)
        if (item instanceof ActivityItem && item.isDropped) this.tasks.forget(item)
      }
    })
  }

  /** What the file says waits for a worker: the first portion of each app. */
  takeUp(): void {
    this.leftWork.begin()
    for (const app of this.leftWork.apps) this.takeMore(app)
  }

  /** The next portion. */
  takeMore(app: string): void {
    const {instances, activities} = this.leftWork.next(app)
    for (const key of instances) {
      const live = this.live.at(key)
      if (live !== undefined) this.turns.want(live, true)
    }
    for (const activity of activities) this.#takeActivity(activity)
  }

  /** Starts beyond what workers take soon are read from the file when they do, in their order: payloads of thousands would fill memory. */
  #staysInFile(live: LiveInstance): boolean {
    const {inbox, turnBytes} = live
    const {app, turns} = live.instance
    const latest = inbox.at(-1)
    if (turns > 0 || latest === undefined) return false
    if (!this.leftWork.has(app) && this.workersOf(app).hasRoom) return false
    this.leftWork.add(app, latest.id, turnBytes)
    this.live.rest(live)
    const [count, bytes] = [this.leftWork.left(app), this.leftWork.bytes(app)]
    if ((count > MUCH || bytes > MUCH_BYTES) && !this.#behind.has(app)) {
      this.#behind.add(app)
      this.#onMuchWaiting(app, count, bytes)
    }
    return true
  }

  /** An activity that an earlier run has sent to a worker, and that is not taken up yet. */
  leftActivity(app: string, id: string, task: number): ActivityItem | undefined {
    const activity = this.leftWork.left(app) === 0 ? undefined : this.#store.activity(app, id, task)
    return activity && this.#takeActivity(activity)
  }

  #takeActivity(activity: OpenActivity): ActivityItem | undefined {
    if (this.activities.has(activity)) return undefined
    const instance = this.#store.at(activity.instance)
    if (instance === undefined || !this.turns.fits(instance, activity.app, activity.request.length)) return undefined
    return this.tasks.take(activity, instance)
  }

  /** Apps whose workers could take more than was taken up. */
  get appsWithCapacity(): readonly string[] {
    return this.leftWork.apps.filter(app => this.workers.get(app)?.hasCapacity === true || this.far.hasCapacity(app))
  }

  /** Something was undone: what is in memory becomes what the file says. Workers keep what they have in hand. */
  reread(): void {
    for (const key of this.changed.keys()) {
      const now = this.#store.at(key)
      if (now === undefined) this.#gone(key)
      else this.changed.set(key, now)
    }
    this.tasks.reread()
    this.turns.reread()
    this.live.reread()
    this.leftWork.clear()
  }

  /** In place of one of the same id that is over. */
  create(app: string, {id, name, input, startAt, parent, trace: askedBy, received}: Creation): Instance {
    const existing = this.#store.find(app, id)
    if (existing !== undefined) this.remove(existing.key)
    const execution = randomUUID()
    const now = this.#clock.date()
    const trace = this.#traceOf(app, askedBy)
    const fresh = {app, id, execution, name, created: now, input, parent, trace, received}
    const {instance} = this.live.begin(this.#store.insert(fresh))
    const {key} = instance
    const event = startEventOf(this.#store, now, fresh, {startAt, askedBy})
    if (startAt === undefined || startAt <= now) this.turns.post(key, {kind: 'start', name: '', event})
    else this.#wakeUps.add(START, {due: startAt, owner: key, ...keptStart(event)})
    return instance
  }

  #traceOf(app: string, askedBy: string | undefined): string | undefined {
    return (askedBy === '' ? '' : this.spans.begin(app, askedBy)) || undefined
  }

  /** A copy of the history of one that is over, which goes on from there. */
  rerun(
    {app, name, version, input, received}: Instance,
    id: string,
    {turns, activities, timers, children}: Rerun
  ): Instance {
    const now = this.#clock.date()
    const execution = randomUUID()
    const parent = undefined
    const trace = this.#traceOf(app, undefined)
    const live = this.live.begin(
      this.#store.insert({app, id, execution, name, created: now, input, parent, trace, received})
    )
    const {instance} = live
    const {key} = instance
    for (const events of turns) {
      live.history.push(this.#store.addTurn(instance, events))
      instance.turns++
    }
    instance.status = RUNNING
    instance.started = now
    instance.version = version
    for (const activity of activities) this.tasks.schedule(live, activity)
    for (const timer of timers) this.tasks.setTimer(key, timer)
    for (const child of children) this.tasks.createChild(live, child)
    this.#store.update(instance)
    this.changed.set(key, instance)
    return instance
  }

  /** The next timer of an instance fires now (its start, if that is to come), or the one with this id; false: there is none. */
  skipTimer(key: number, timer: number | undefined): boolean {
    const [start] = timer === undefined ? this.#wakeUps.of(START, key) : []
    if (start === undefined) return this.tasks.skipTimer(key, timer)
    this.#wakeUps.fireNow(START, start)
    return true
  }

  remove(key: number): void {
    const live = this.live.at(key)
    if (live === undefined) return
    if (live.turn !== undefined) this.workersOf(live.instance.app).remove(live.turn)
    live.turn = undefined // an answer to it that could not be written yet comes to nothing
    this.tasks.drop(live.instance)
    this.turns.release(key)
    this.#wakeUps.removeOf(START, key)
    this.#retention.forget(key)
    this.#store.remove(key)
    this.live.forget(live)
    this.#gone(key)
  }

  /** Callers that wait for one that has ended in this very transaction get its end. */
  #gone(key: number): void {
    const known = this.changed.get(key)
    if (known === undefined || !isTerminal(known.status)) this.changed.set(key, undefined)
  }

  #expire(key: number): void {
    const live = this.live.at(key)
    if (live !== undefined && isTerminal(live.instance.status)) this.remove(key)
  }

  apply(live: LiveInstance, turn: Turn, {startedAt, aheadMs, inbox}: TurnStart): void {
    const {instance} = live
    const {key} = instance
    const now = this.#clock.date()
    const last = Math.max(...inbox.map(({id}) => id))
    this.#store.take(key, last)
    live.inbox = live.inbox.filter(({id}) => id > last)
    for (const {kind, event} of inbox) if (kind === 'timer') this.spans.timerFired(instance, live.history, event)
    for (const name of turn.heard) this.tasks.heard(key, name)
    live.clock = startedAt
    const began = startedAt - aheadMs
    if (instance.started === undefined) this.#counts.begun(instance, inbox, began)
    instance.started ??= began
    instance.updated = now
    instance.status = turn.status
    instance.stall = undefined
    instance.customStatus = turn.customStatus
    if (turn.again !== undefined) this.#again(live, turn.again, turn.events)
    else {
      live.history.push(this.#store.addTurn(instance, turn.events))
      instance.turns++
      instance.rounds = 0
      instance.version ??= turn.version
    }
    for (const activity of turn.activities) this.tasks.schedule(live, activity)
    for (const timer of turn.timers) this.tasks.setTimer(key, timer, aheadMs)
    for (const child of turn.children) this.tasks.createChild(live, child)
    const end = turn.children.length === 0 ? undefined : this.turns.endOf(key)
    if (end !== undefined) this.#ends.endChildren(instance, readEvent(end.event).executionTerminated?.input?.value)
    for (const {app, id, kind, name, event} of turn.messages) {
      const target = this.#store.find(app, id)
      const operation = kind === 'event' ? 'raise' : 'terminate'
      const access = {caller: instance.app, kind: 'workflows', operation, name: target?.name ?? ''} as const
      if (target !== undefined && this.tasks.mayAsk(app, access)) this.turns.post(target.key, {kind, name, event})
    }
    if (turn.end !== undefined) {
      this.tasks.endTimers(key)
      this.#ends.byTurn(live, turn)
    }
    this.#store.update(instance)
    this.changed.set(key, instance)
    this.turns.want(live)
    if (live.turn === undefined) this.live.rest(live)
  }

  /** Terminated before it has started, or while no worker can take its turn. */
  #terminate(live: LiveInstance, entry: Omit<InboxEntry, 'id'>): void {
    const {instance} = live
    const {key} = instance
    this.#wakeUps.removeOf(START, key)
    this.tasks.drop(instance)
    this.turns.release(key)
    this.#ends.byForce(live, entry)
    this.#store.update(instance)
    this.changed.set(key, instance)
  }

  /** Continues as new: another history, with what came meanwhile but results of the old one. */
  #again(live: LiveInstance, {input, carried}: NonNullable<Turn['again']>, last: Turn['events']): void {
    const {instance} = live
    const {key} = instance
    this.tasks.drop(instance)
    this.#store.clearHistory(key)
    this.#store.take(key, Number.MAX_SAFE_INTEGER)
    const later = live.inbox.filter(({kind}) => kind !== 'result' && kind !== 'timer')
    live.inbox = []
    // each round is a trace of its own: one that goes on for ever would be without an end
    this.spans.over(instance, live.history, statusName(CONTINUED_AS_NEW))
    if (instance.trace !== undefined) instance.trace = this.#traceOf(instance.app, undefined)
    instance.received = forwardedHistory(instance, [...live.history.flatMap(splitEvents), ...last])
    if (instance.received !== undefined) this.#store.receive(key, instance.received)
    live.history.length = 0
    instance.turns = 0
    instance.execution = randomUUID()
    instance.created = this.#clock.date()
    instance.input = input
    instance.status = RUNNING
    instance.rounds++
    const start = startEventOf(this.#store, this.#clock.date(), instance)
    const isPaused = instance.rounds % MAX_ROUNDS === 0
    if (isPaused) this.#wakeUps.add(START, {due: this.#clock.date() + PAUSE_MS, owner: key, ...keptStart(start)})
    const inbox = [
      ...(isPaused ? [] : [{kind: 'start' as const, name: '', event: start}]),
      ...carried.map(each => ({kind: 'event' as const, ...each})),
      ...later
    ]
    for (const entry of inbox) this.turns.post(key, entry)
  }
}
