import {decode, encode, type Message} from '../../proxy/net/grpc/message-codec.ts'
import {messageOf} from '../../model/errors.ts'
import type {Clock} from '../../platform/clock.ts'
import type {WorkflowAccess} from '../../files/resources/workflow-access.ts'
import type {WakeUp, WakeUps} from '../wake-ups.ts'
import type {Creation} from './instance.ts'
import {CHILD_REQUEST} from './far-messages.ts'
import type {FarTasks} from './far-tasks.ts'
import type {Instance, Parent} from './instance.ts'
import {
  ACTIVITY_REQUEST,
  EVENT,
  eventOf,
  FAILURE_DETAILS,
  msOf,
  readEvent,
  textOf,
  timeOf,
  type Event
} from './messages.ts'
import type {OpenActivities} from './open-activities.ts'
import {propagatedHistory} from './propagation.ts'
import {isTerminal} from './status.ts'
import type {NewActivity, NewChild, NewTimer} from './turn.ts'
import type {TurnQueue} from './turn-queue.ts'
import type {ActivityItem, LiveInstance} from './work-items.ts'
import {activityTrace} from './work-spans.ts'
import type {AppWorkers} from './workers.ts'
import {activeInstance, DENIED, notOver, WorkflowError} from './workflow-error.ts'
import {TIMER, type OpenActivity, type WorkflowStore} from './workflow-store.ts'

/** Of a task that another app does not do for this one (Dapr: pkg/actors/targets/workflow/orchestrator/activity.go). */
export const NOT_ALLOWED = encode(FAILURE_DETAILS, {
  errorType: 'WorkflowAccessPolicyDenied',
  errorMessage: DENIED,
  stackTrace: undefined
})

/** What a child is to be. */
export type ChildRequest = Message<typeof CHILD_REQUEST>

const NOTHING = new Uint8Array(0)

const isSame = (one: Parent, other: Parent): boolean =>
  one.app === other.app && one.id === other.id && one.execution === other.execution && one.task === other.task

interface TasksOptions {
  readonly store: WorkflowStore
  readonly wakeUps: WakeUps
  readonly clock: Clock
  readonly warn: (app: string, text: string) => void
  readonly hasApp: (app: string) => boolean
  /** Whether an app may ask that of another one. */
  readonly isAllowed: (app: string, access: WorkflowAccess) => boolean
  readonly turns: TurnQueue
  readonly activities: OpenActivities
  readonly far: FarTasks
  readonly workersOf: (app: string) => AppWorkers
  /** Begins an instance, in place of one of the same id that is over. */
  readonly create: (app: string, creation: Creation) => Instance
}

/** What instances wait for: activities, timers and children. All is called within a change of the file. */
export class Tasks {
  readonly #options: TasksOptions

  constructor(options: TasksOptions) {
    this.#options = options
    options.wakeUps.serve(TIMER, wakeUp => this.#timerFired(wakeUp))
  }

  schedule(live: Pick<LiveInstance, 'instance' | 'history'>, {task, app, scheduled}: NewActivity): void {
    const {instance} = live
    const {app: own, key, id, execution} = instance
    const {name, version, input, taskExecutionId, scope} = scheduled
    if (!this.mayAsk(app, {caller: own, kind: 'activities', operation: 'schedule', name}))
      return this.#fail(key, {taskFailed: {taskScheduledId: task, failureDetails: NOT_ALLOWED, taskExecutionId}})
    const workflowInstance = {instanceId: id, executionId: {value: execution}}
    const traceParent = activityTrace(instance, task)
    const request = encode(ACTIVITY_REQUEST, {
      name,
      version,
      input,
      workflowInstance,
      taskId: task,
      parentTraceContext: traceParent === '' ? undefined : {traceParent},
      taskExecutionId,
      propagatedHistory: propagatedHistory(live, scope, task)
    })
    const activity = {instance: key, task, app, taskExecution: taskExecutionId, request, isChild: 0}
    this.#options.store.addActivity(activity)
    if (this.#options.turns.fits(instance, app, request.length)) this.take(activity, instance)
  }

  /** It is sent to a worker: of its app, or of a run that has it. */
  take(activity: OpenActivity, of: Pick<Instance, 'id' | 'app'>): ActivityItem {
    const {app, isChild} = activity
    if (isChild === 1 || !this.#options.hasApp(app)) return this.#options.far.add(activity, of)
    const item = this.#options.activities.add(activity, of)
    this.#options.workersOf(app).add(item)
    return item
  }

  /** An app has workers here: they do what another run was to do. */
  bringHome(app: string): void {
    for (const {activity, id, source} of this.#options.far.take(app)) {
      const {instance, request, isChild} = activity
      if (isChild === 0) this.#options.workersOf(app).add(this.#options.activities.add(activity, {id, app: source}))
      else {
        this.#options.store.endActivity(activity)
        this.#beginOwn(instance, app, decode(CHILD_REQUEST, request))
      }
    }
  }

  /** Whether an app may ask that of another one; if not, the log of that one says so. */
  mayAsk(app: string, access: WorkflowAccess): boolean {
    if (this.#options.isAllowed(app, access)) return true
    const {caller, kind, operation, name} = access
    const what = kind === 'activities' ? 'activity' : 'workflow'
    this.#options.warn(
      app,
      `workflow access policy denied app '${caller}' operation '${operation}' on ${what} '${name}'`
    )
    return false
  }

  /** `aheadMs`: so much is the clock of the workflow's code ahead of ours. */
  setTimer(key: number, {id: timerId, fireAt, event}: NewTimer, aheadMs = 0): void {
    const due = msOf(fireAt) - aheadMs
    const data = encode(EVENT, {timestamp: timeOf(due), timerFired: {fireAt, timerId, isSkipped: false}})
    this.#options.wakeUps.add(TIMER, {due, owner: key, name: event.toLowerCase(), data})
  }

  /** When the timers of an instance fire, by the ids of their events. */
  timers(key: number): ReadonlyMap<number, number> {
    return new Map(this.#options.wakeUps.of(TIMER, key).map(({due, data}) => [timerIdOf(data), due]))
  }

  /** The next timer fires now, or the one with this id; false if there is no such one. */
  skipTimer(key: number, wanted: number | undefined): boolean {
    const timers = this.#options.wakeUps.of(TIMER, key).toSorted((a, b) => a.due - b.due || a.id - b.id)
    const timer = wanted === undefined ? timers[0] : timers.find(({data}) => timerIdOf(data) === wanted)
    if (timer !== undefined) this.#options.wakeUps.fireNow(TIMER, timer)
    return timer !== undefined
  }

  /** An event has come: the oldest timer that waits with it ends. */
  heard(key: number, event: string): void {
    this.#options.wakeUps.removeFirst(TIMER, key, event.toLowerCase())
  }

  endTimers(key: number): void {
    this.#options.wakeUps.removeOf(TIMER, key)
  }

  /** One in an app of another run is asked for until that run says that it is over. */
  createChild(live: Pick<LiveInstance, 'instance' | 'history'>, child: NewChild): void {
    const {instance} = live
    const {app: parentApp, id: parentId, execution, key} = instance
    const {app, id, name, input, isDetached, task, scope, startAt, trace = instance.trace ?? ''} = child
    const parent = {app: parentApp, id: parentId, execution, task}
    const received = (scope === undefined ? undefined : propagatedHistory(live, scope, task)) ?? NOTHING
    const start = startAt === undefined ? undefined : timeOf(startAt)
    const asked = {id, name, input: textOf(input), parent, trace, received, isDetached, isEnded: false, startAt: start}
    if (this.#options.hasApp(app)) return this.#beginOwn(key, app, asked)
    const request = encode(CHILD_REQUEST, asked)
    const activity = {instance: key, task, app, taskExecution: '', request, isChild: 1}
    this.#options.store.addActivity(activity)
    this.#options.far.add(activity, instance)
  }

  #beginOwn(key: number, app: string, asked: ChildRequest): void {
    const {parent, isDetached, isEnded} = asked
    const begun = this.beginChild(app, asked)
    const taskScheduledId = parent?.task ?? -1
    if ('failure' in begun && !isDetached && !isEnded)
      this.#fail(key, {childFailed: {taskScheduledId, taskExecutionId: '', failureDetails: begun.failure}})
  }

  /**
   * Begins a child in an app of this run. One of the same task is made once; an active one of another creator is left alone, and the task fails.
   */
  beginChild(
    app: string,
    {id, name, input, parent, trace, received, isDetached, isEnded, startAt}: ChildRequest
  ): {readonly child: Instance | undefined} | {readonly failure: Uint8Array} {
    const existing = this.#options.store.find(app, id)
    const isOwn = existing?.parent !== undefined && parent !== undefined && isSame(existing.parent, parent)
    if (isEnded) {
      const access = {
        caller: parent?.app ?? '',
        kind: 'workflows',
        operation: 'terminate',
        name: existing?.name ?? ''
      } as const
      if (isOwn && this.mayAsk(app, access))
        this.#options.turns.post(existing.key, {kind: 'terminate', name: 'recursive', event: this.#terminated(input)})
      return {child: undefined}
    }
    if (!this.mayAsk(app, {caller: parent?.app ?? '', kind: 'workflows', operation: 'schedule', name}))
      return {failure: NOT_ALLOWED}
    if (isOwn) return {child: existing}
    const refusal = existing === undefined ? undefined : this.#refusal(existing)
    if (refusal === undefined) {
      const shared = {id, name, input: input?.value, startAt: startAt && msOf(startAt), trace}
      const given = received.length === 0 ? undefined : received
      return {child: this.#options.create(app, {...shared, received: given, ...(!isDetached && {parent})})}
    }
    if (isDetached) this.#options.warn(app, `workflow '${id}' is not started once more: an active one has this ID`)
    return {failure: encode(FAILURE_DETAILS, {errorType: 'WorkflowInstanceAlreadyExists', errorMessage: refusal})}
  }

  /** Why one of this id is not made; undefined: it is, in place of this one. */
  #refusal(existing: Instance): string | undefined {
    if (!isTerminal(existing.status)) return activeInstance(existing.id).message
    try {
      checkAllOver(this.#options.store, existing)
      return undefined
    } catch (error) {
      return messageOf(error)
    }
  }

  #terminated(input: ChildRequest['input']): Uint8Array {
    return eventOf(this.#options.clock.date(), {executionTerminated: {input, recurse: true}})
  }

  #fail(key: number, failure: Event): void {
    this.#options.turns.post(key, {kind: 'result', name: '', event: eventOf(this.#options.clock.date(), failure)})
  }

  /** Its open activities and timers are not wanted any more. */
  drop({key}: Instance): void {
    for (const item of this.#options.activities.drop(key)) {
      // one that a worker has is answered once more
      if (!this.#workersFor(item).isInHand(item)) this.forget(item)
    }
    this.#options.store.endActivities(key)
    this.endTimers(key)
  }

  /** Something was undone: what is open is so in the file, too. */
  reread(): void {
    const {activities, store} = this.#options
    for (const item of activities.reread(activity => store.isOpen(activity)))
      if (!this.#workersFor(item).isInHand(item)) this.forget(item)
  }

  /** It is answered, or will not be. */
  forget(item: ActivityItem): void {
    this.#workersFor(item).remove(item)
    this.#options.activities.remove(item)
  }

  #workersFor({isFar, activity: {app}}: ActivityItem): AppWorkers {
    return isFar ? this.#options.far.of(app) : this.#options.workersOf(app)
  }

  #timerFired({owner, data}: WakeUp): void {
    const {timerFired, timestamp: due} = readEvent(data)
    if (timerFired === undefined) return
    const now = this.#options.clock.date()
    const isSkipped = due !== undefined && msOf(due) > now
    this.#options.turns.post(owner, {
      kind: 'timer',
      name: '',
      event: eventOf(now, {timerFired: {...timerFired, isSkipped}})
    })
  }
}

/** An instance that is over is not started again while one below it is not over (Dapr: pkg/actors/targets/workflow/orchestrator/terminalcheck.go). Throws a WorkflowError. */
export function checkAllOver(store: WorkflowStore, instance: Instance): void {
  const family = store.family(instance)
  const open =
    family.find(({key, status}) => key !== instance.key && !isTerminal(status))?.id ??
    family
      .flatMap(({key}) => store.farChildren(key))
      .map(({request}) => decode(CHILD_REQUEST, request))
      .find(({isDetached}) => !isDetached)?.id
  if (open === undefined) return
  const why = `child workflow '${open}': ${notOver().message}`
  throw new WorkflowError('active', `cannot recreate workflow with ID '${instance.id}': ${why}`)
}

const timerIdOf = (data: Uint8Array): number => readEvent(data).timerFired?.timerId ?? -1
