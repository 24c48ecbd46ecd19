import {randomUUID} from 'node:crypto'
import type {Clock} from '../../platform/clock.ts'
import type {WorkflowEvent} from '../../model/workflow-event.ts'
import type {WorkflowAccess} from '../../files/resources/workflow-access.ts'
import type {WorkflowSettings} from '../../files/resources/workflow-settings.ts'
import type {WakeUps} from '../wake-ups.ts'
import type {Instance, Letter, Parent} from './instance.ts'
import {startEventOf, type Started} from './start-event.ts'
import type {Creation} from './creation.ts'
import {LiveInstances} from './live-instances.ts'
import {eventOf, readEvent, textOf, type Event} from './messages.ts'
import {OpenActivities} from './open-activities.ts'
import {Retention} from './retention.ts'
import {COMPLETED, RUNNING, STALLED, TERMINATED, isTerminal} from './status.ts'
import type {Rerun} from './rerun.ts'
import {Tasks} from './tasks.ts'
import type {Turn, TurnStart} from './turn.ts'
import {AppWorkers} from './workers.ts'
import type {Stall} from './versions.ts'
import {WorkCounts} from './work-counts.ts'
import {TurnItem, type LiveInstance} from './work-items.ts'
import type {WorkflowStore} from './workflow-store.ts'

const START = 'workflow-start'

/** It continues as new so often without a pause (durabletask-go: backend/orchestration.go) … */
const MAX_ROUNDS = 20
/** Of `maxBodySize`. */
const MAX_SHARE = 0.95
/** StalledReason */
const PAYLOAD_SIZE_EXCEEDED = 2
/** … and then waits. */
const PAUSE_MS = 1000

export interface EngineOptions {
  readonly store: WorkflowStore
  readonly wakeUps: WakeUps
  readonly clock: Clock
  /** Says something in the log of an app's sidecar. */
  readonly warn: (app: string, text: string) => void
  /** Whether the run has such an app. */
  readonly hasApp: (app: string) => boolean
  readonly maxBytes: (app: string) => number
  /** `spec.workflow` of an app's Configuration, as it is now. */
  readonly settings: (app: string) => WorkflowSettings
  /** Whether an app may ask that of another one; of itself it may ask anything. */
  readonly isAllowed: (app: string, access: WorkflowAccess) => boolean
  /** Counts for the metrics of an app. */
  readonly counted: (app: string, event: WorkflowEvent) => void
}

/** What happens to instances. All that changes them is called within a change of the file. */
export class Engine {
  readonly live: LiveInstances
  readonly tasks: Tasks
  readonly activities = new OpenActivities()
  readonly workers = new Map<string, AppWorkers>()
  /** Those that were changed since the last commit; undefined: gone. */
  readonly changed = new Map<number, Instance | undefined>()
  readonly #store: WorkflowStore
  readonly #wakeUps: WakeUps
  readonly #clock: Clock
  readonly #warn: EngineOptions['warn']
  readonly #maxBytes: EngineOptions['maxBytes']
  readonly #settings: EngineOptions['settings']
  readonly #counts: WorkCounts
  readonly #retention: Retention
  /** Instances that no worker can take as it is, with their apps, until one connects. */
  readonly #held = new Map<number, string>()

  constructor({store, wakeUps, clock, warn, hasApp, maxBytes, settings, isAllowed, counted}: EngineOptions) {
    this.#store = store
    this.#wakeUps = wakeUps
    this.#clock = clock
    this.#warn = warn
    this.#maxBytes = maxBytes
    this.#settings = settings
    this.#counts = new WorkCounts({clock, counted, maxBytes, nameOf: key => this.live.at(key)?.instance.name ?? ''})
    this.#retention = new Retention({wakeUps, clock, settings, expired: key => this.#expire(key)})
    this.live = new LiveInstances(store)
    const fits = this.#fits.bind(this)
    this.tasks = new Tasks({store, wakeUps, clock, warn, hasApp, isAllowed, fits, instances: this})
    this.takeUp()
    wakeUps.serve(START, ({owner, data}) => this.post(owner, {kind: 'start', name: '', event: data}))
  }

  workersOf(app: string): AppWorkers {
    let workers = this.workers.get(app)
    if (workers === undefined) this.workers.set(app, (workers = this.#newWorkers(app)))
    return workers
  }

  #newWorkers(app: string): AppWorkers {
    return new AppWorkers(() => this.#settings(app), {
      sent: item => this.#counts.sent(app, item),
      left: item => this.#counts.left(app, item)
    })
  }

  /** What the file says waits for a worker. */
  takeUp(): void {
    for (const key of this.#store.pending()) {
      const live = this.live.at(key)
      if (live !== undefined) this.#want(live)
    }
    for (const activity of this.#store.activities()) {
      if (this.activities.has(activity)) continue
      const instance = this.#store.at(activity.instance)
      if (instance === undefined || !this.#fits(instance, activity.app, activity.request.length)) continue
      this.workersOf(activity.app).add(this.activities.add(activity, instance.id))
    }
  }

  /** Forgets what is in memory. */
  forget(): void {
    this.changed.clear()
    this.#held.clear()
    this.live.clear()
    this.activities.clear()
    for (const workers of this.workers.values()) workers.clear()
  }

  /** In place of one of the same id that is over. */
  create(app: string, {id, name, input, startAt, parent}: Creation): Instance {
    const existing = this.#store.find(app, id)
    if (existing !== undefined) this.remove(existing.key)
    const execution = randomUUID()
    const now = this.#clock.date()
    const key = this.#store.insert({
      app,
      id,
      execution,
      name,
      created: now,
      input,
      parent
    })
    const event = this.#startEvent({name, id, execution, input, parent}, startAt)
    if (startAt === undefined || startAt <= now) this.post(key, {kind: 'start', name: '', event})
    else this.#wakeUps.add(START, {due: startAt, owner: key, name: '', data: event})
    const live = this.live.at(key)
    if (live === undefined) throw new Error(`no row ${key}`)
    return live.instance
  }

  /** A copy of the history of one that is over, which goes on from there. */
  rerun({app, name, version, input}: Instance, id: string, {turns, activities, timers, children}: Rerun): Instance {
    const now = this.#clock.date()
    const execution = randomUUID()
    const key = this.#store.insert({app, id, execution, name, created: now, input, parent: undefined})
    const live = this.live.at(key)
    if (live === undefined) throw new Error(`no row ${key}`)
    const {instance} = live
    for (const events of turns) {
      live.history.push(this.#store.addTurn(instance, events))
      instance.turns++
    }
    instance.status = RUNNING
    instance.started = now
    instance.version = version
    for (const activity of activities) this.tasks.schedule(instance, activity)
    for (const timer of timers) this.tasks.setTimer(key, timer)
    for (const child of children) this.tasks.createChild(instance, child)
    this.#store.update(instance)
    this.changed.set(key, instance)
    return instance
  }

  #startEvent(instance: Started, startAt?: number): Uint8Array {
    const {parent} = instance
    const parentName = parent && this.#store.find(parent.app, parent.id)?.name
    return startEventOf(this.#clock.date(), instance, parentName, startAt)
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
    this.tasks.drop(live.instance)
    this.#held.delete(key)
    this.#wakeUps.removeOf(START, key)
    this.#retention.forget(key)
    this.#store.remove(key)
    this.live.forget(live)
    this.changed.set(key, undefined)
  }

  /** Something for an instance that is not over. */
  post(key: number, letter: Omit<Letter, 'id'>): void {
    const live = this.live.at(key)
    if (live === undefined || isTerminal(live.instance.status)) return
    const isStuck = !live.mayStart || live.instance.status === STALLED
    if (letter.kind === 'terminate' && isStuck) return this.#endBefore(live, letter)
    const id = this.#store.post(key, letter)
    live.letters.push({...letter, id})
    this.#want(live)
  }

  #expire(key: number): void {
    const live = this.live.at(key)
    if (live !== undefined && isTerminal(live.instance.status)) this.remove(key)
  }

  #want(live: LiveInstance): void {
    if (!live.mayTurn || this.#held.has(live.instance.key)) return
    const {instance, turn} = live
    const workers = this.workersOf(instance.app)
    if (turn !== undefined && workers.isInHand(turn)) return
    if (!this.#fits(instance, instance.app, live.turnBytes)) {
      if (turn !== undefined) workers.remove(turn)
      live.turn = undefined
      return
    }
    if (turn !== undefined) return
    live.turn = new TurnItem(live, () => this.#clock.date())
    this.live.use(live)
    this.workersOf(live.instance.app).add(live.turn)
  }

  /** Whether a worker can take so much; else the instance stalls (Dapr: pkg/actors/targets/workflow/orchestrator/payloadsize.go). */
  #fits(instance: Instance, app: string, bytes: number): boolean {
    const max = this.#maxBytes(app)
    if (bytes <= max * MAX_SHARE) return true
    if (instance.status === STALLED) return false
    const description = `Workflow payload size ${bytes} bytes exceeds 95% of max gRPC body size ${max} bytes; increase daprd --max-body-size and restart to resume`
    this.#stall(instance, {reason: PAYLOAD_SIZE_EXCEEDED, description})
    return false
  }

  /** The worker that was asked cannot go on with it: the turn is undone, and waits for another worker. */
  hold(live: LiveInstance, stall: Stall): void {
    this.#held.set(live.instance.key, live.instance.app)
    this.live.rest(live)
    this.#stall(live.instance, stall)
  }

  /** Whether some of an app's are held. */
  hasHeld(app: string): boolean {
    return [...this.#held.values()].includes(app)
  }

  /** A worker of an app is there, with other code perhaps: what is held is tried again. */
  retryHeld(app: string): void {
    for (const [key, of] of this.#held) {
      if (of !== app) continue
      this.#held.delete(key)
      const live = this.live.at(key)
      if (live !== undefined) this.#want(live)
    }
  }

  #stall(instance: Instance, {reason, description}: Stall): void {
    const known = instance.stall && readEvent(instance.stall).executionStalled
    instance.status = STALLED
    if (known?.reason === reason && known.description === description) return
    instance.stall = eventOf(this.#clock.date(), {executionStalled: {reason, description}})
    this.#store.update(instance)
    this.changed.set(instance.key, instance)
    this.#warn(instance.app, `workflow '${instance.name}' '${instance.id}' is stalled: ${description}`)
  }

  apply(live: LiveInstance, turn: Turn, {startedAt, aheadMs, letters}: TurnStart): void {
    const {instance} = live
    const {key} = instance
    const now = this.#clock.date()
    const last = Math.max(...letters.map(({id}) => id))
    this.#store.take(key, last)
    live.letters = live.letters.filter(({id}) => id > last)
    for (const name of turn.heard) this.tasks.heard(key, name)
    live.clock = startedAt
    const began = startedAt - aheadMs
    if (instance.started === undefined) this.#counts.begun(instance, letters, began)
    instance.started ??= began
    instance.updated = now
    instance.status = turn.status
    instance.stall = undefined
    instance.customStatus = turn.customStatus
    if (turn.again !== undefined) this.#again(live, turn.again)
    else {
      live.history.push(this.#store.addTurn(instance, turn.events))
      instance.turns++
      instance.rounds = 0
      instance.version ??= turn.version
    }
    for (const activity of turn.activities) this.tasks.schedule(instance, activity)
    for (const timer of turn.timers) this.tasks.setTimer(key, timer, aheadMs)
    for (const child of turn.children) this.tasks.createChild(instance, child)
    for (const {app, id, kind, name, event} of turn.messages) {
      const target = this.#store.find(app, id)
      const operation = kind === 'event' ? 'raise' : 'terminate'
      const access = {caller: instance.app, kind: 'workflows', operation, name: target?.name ?? ''} as const
      if (target !== undefined && this.tasks.mayAsk(app, access)) this.post(target.key, {kind, name, event})
    }
    if (turn.end !== undefined) this.#end(live, turn)
    this.#store.update(instance)
    this.changed.set(key, instance)
    this.#want(live)
    if (live.turn === undefined) this.live.rest(live)
  }

  #end(live: LiveInstance, {end, endsChildren}: Turn): void {
    const {instance} = live
    instance.output = end?.result
    instance.failure = end?.failure
    if (live.turn !== undefined) this.workersOf(instance.app).remove(live.turn)
    live.turn = undefined
    this.#store.take(instance.key, Number.MAX_SAFE_INTEGER)
    live.letters = []
    this.tasks.endTimers(instance.key)
    if (endsChildren) this.#endChildren(instance)
    if (instance.parent !== undefined) this.#tellParent(instance, instance.parent)
    this.#retention.limit(instance)
    this.#counts.ended(instance)
  }

  #endChildren(instance: Instance): void {
    const executionTerminated = {input: textOf(instance.output), recurse: true}
    for (const child of this.#store.children(instance)) {
      const event = eventOf(this.#clock.date(), {executionTerminated})
      this.post(child.key, {kind: 'terminate', name: 'recursive', event})
    }
  }

  #tellParent({app, status, output, failure}: Instance, {app: parentApp, id, execution, task}: Parent): void {
    const parent = this.#store.find(parentApp, id)
    if (parent === undefined || parent.execution !== execution) return
    const shared = {taskScheduledId: task, taskExecutionId: ''}
    const event: Event =
      status === COMPLETED
        ? {childCompleted: {...shared, result: textOf(output)}}
        : {childFailed: {...shared, failureDetails: failure ?? new Uint8Array(0)}}
    const router = {sourceAppID: app, targetAppID: parentApp}
    this.post(parent.key, {kind: 'result', name: '', event: eventOf(this.#clock.date(), {...event, router})})
  }

  /** Terminated before it has started, or while no worker can take its turn. */
  #endBefore(live: LiveInstance, {event}: Omit<Letter, 'id'>): void {
    const {instance} = live
    const {executionTerminated} = readEvent(event)
    const now = this.#clock.date()
    instance.status = TERMINATED
    instance.updated = now
    const result = executionTerminated?.input
    const completed = eventOf(now, {
      executionCompleted: {status: TERMINATED, result, failureDetails: new Uint8Array(0)}
    })
    live.history.push(
      this.#store.addTurn(instance, [...(instance.turns === 0 ? [this.#startEvent(instance)] : []), event, completed])
    )
    instance.turns++
    this.#wakeUps.removeOf(START, instance.key)
    this.tasks.drop(instance)
    this.#held.delete(instance.key)
    instance.stall = undefined
    instance.output = result?.value
    if (executionTerminated?.recurse === true) this.#endChildren(instance)
    if (instance.parent !== undefined) this.#tellParent(instance, instance.parent)
    this.#retention.limit(instance)
    this.#counts.ended(instance)
    this.#store.take(instance.key, Number.MAX_SAFE_INTEGER)
    this.#store.update(instance)
    this.changed.set(instance.key, instance)
  }

  /** Continues as new: another history, with what came meanwhile but results of the old one. */
  #again(live: LiveInstance, {input, carried}: NonNullable<Turn['again']>): void {
    const {instance} = live
    const {key} = instance
    this.tasks.drop(instance)
    this.#store.clearHistory(key)
    this.#store.take(key, Number.MAX_SAFE_INTEGER)
    live.history.length = 0
    const later = live.letters.filter(({kind}) => kind !== 'result' && kind !== 'timer')
    live.letters = []
    instance.turns = 0
    instance.execution = randomUUID()
    instance.created = this.#clock.date()
    instance.input = input
    instance.status = RUNNING
    instance.rounds++
    const start = this.#startEvent(instance)
    const isPaused = instance.rounds % MAX_ROUNDS === 0
    if (isPaused) this.#wakeUps.add(START, {due: this.#clock.date() + PAUSE_MS, owner: key, name: '', data: start})
    const letters = [
      ...(isPaused ? [] : [{kind: 'start' as const, name: '', event: start}]),
      ...carried.map(each => ({kind: 'event' as const, ...each})),
      ...later
    ]
    for (const letter of letters) this.post(key, letter)
  }
}
