import {encode} from '../../proxy/net/grpc/message-codec.ts'
import type {Clock} from '../../platform/clock.ts'
import type {WorkflowAccess} from '../../files/resources/workflow-access.ts'
import type {WakeUp, WakeUps} from '../wake-ups.ts'
import type {Creation} from './creation.ts'
import type {Instance} from './instance.ts'
import {ACTIVITY_REQUEST, EVENT, eventOf, FAILURE_DETAILS, msOf, readEvent, timeOf, type Event} from './messages.ts'
import type {OpenActivities} from './open-activities.ts'
import {propagatedHistory} from './propagation.ts'
import {isTerminal} from './status.ts'
import type {NewActivity, NewChild, NewTimer} from './turn.ts'
import type {TurnQueue} from './turn-queue.ts'
import type {LiveInstance} from './work-items.ts'
import {activityTrace} from './work-spans.ts'
import type {AppWorkers} from './workers.ts'
import {activeInstance, DENIED} from './workflow-error.ts'
import {TIMER, type WorkflowStore} from './workflow-store.ts'

/** Of a task that another app does not do for this one (Dapr: pkg/actors/targets/workflow/orchestrator/activity.go). */
const NOT_ALLOWED = encode(FAILURE_DETAILS, {
  errorType: 'WorkflowAccessPolicyDenied',
  errorMessage: DENIED,
  stackTrace: undefined
})

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
  readonly workersOf: (app: string) => AppWorkers
  /** Begins an instance, in place of one of the same id that is over. */
  readonly create: (app: string, creation: Creation) => Instance
}

/** What instances wait for: activities, timers and children. All is called within a change of the file. */
export class Tasks {
  readonly #store: WorkflowStore
  readonly #wakeUps: WakeUps
  readonly #clock: Clock
  readonly #warn: TasksOptions['warn']
  readonly #hasApp: TasksOptions['hasApp']
  readonly #isAllowed: TasksOptions['isAllowed']
  readonly #turns: TurnQueue
  readonly #activities: OpenActivities
  readonly #workersOf: TasksOptions['workersOf']
  readonly #create: TasksOptions['create']
  /** Apps that are waited for, as they were told. */
  readonly #told = new Set<string>()

  constructor(options: TasksOptions) {
    const {store, wakeUps, clock, warn, hasApp, isAllowed, turns, activities, workersOf, create} = options
    this.#store = store
    this.#wakeUps = wakeUps
    this.#clock = clock
    this.#warn = warn
    this.#hasApp = hasApp
    this.#isAllowed = isAllowed
    this.#turns = turns
    this.#activities = activities
    this.#workersOf = workersOf
    this.#create = create
    wakeUps.serve(TIMER, wakeUp => this.#timerFired(wakeUp))
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
    const activity = {instance: key, task, app, taskExecution: taskExecutionId, request}
    this.#store.addActivity(activity)
    this.#noteApp(own, app, `activity '${name}'`)
    if (this.#turns.fits(instance, app, request.length)) this.#workersOf(app).add(this.#activities.add(activity, id))
  }

  /** Whether an app may ask that of another one; if not, the log of that one says so. */
  mayAsk(app: string, access: WorkflowAccess): boolean {
    if (this.#isAllowed(app, access)) return true
    const {caller, kind, operation, name} = access
    const what = kind === 'activities' ? 'activity' : 'workflow'
    this.#warn(app, `workflow access policy denied app '${caller}' operation '${operation}' on ${what} '${name}'`)
    return false
  }

  /** Nobody may be there to do it: that is said once. */
  #noteApp(own: string, app: string, what: string): void {
    const text = `${what} waits for app '${app}', which this template does not have: those of other runs are not asked`
    if (this.#hasApp(app) || this.#told.has(text)) return
    this.#told.add(text)
    this.#warn(own, text)
  }

  /** `aheadMs`: so much is the clock of the workflow's code ahead of ours. */
  setTimer(key: number, {id: timerId, fireAt, event}: NewTimer, aheadMs = 0): void {
    const due = msOf(fireAt) - aheadMs
    const data = encode(EVENT, {timestamp: timeOf(due), timerFired: {fireAt, timerId, isSkipped: false}})
    this.#wakeUps.add(TIMER, {due, owner: key, name: event.toLowerCase(), data})
  }

  /** When the timers of an instance fire, by the ids of their events. */
  timers(key: number): ReadonlyMap<number, number> {
    return new Map(this.#wakeUps.of(TIMER, key).map(({due, data}) => [timerIdOf(data), due]))
  }

  /** The next timer fires now, or the one with this id; false if there is no such one. */
  skipTimer(key: number, wanted: number | undefined): boolean {
    const timers = this.#wakeUps.of(TIMER, key).toSorted((a, b) => a.due - b.due || a.id - b.id)
    const timer = wanted === undefined ? timers[0] : timers.find(({data}) => timerIdOf(data) === wanted)
    if (timer !== undefined) this.#wakeUps.fireNow(TIMER, timer)
    return timer !== undefined
  }

  /** An event has come: the oldest timer that waits with it ends. */
  heard(key: number, event: string): void {
    this.#wakeUps.removeFirst(TIMER, key, event.toLowerCase())
  }

  endTimers(key: number): void {
    this.#wakeUps.removeOf(TIMER, key)
  }

  /** A child of the same task is made once; an active one of somebody else is left alone, and the task fails. */
  createChild(live: Pick<LiveInstance, 'instance' | 'history'>, child: NewChild): void {
    const {app: parentApp, id: parentId, execution, key, trace = ''} = live.instance
    const {app, id, name, input, isDetached, task} = child
    const parent = {app: parentApp, id: parentId, execution, task}
    const failed = {taskScheduledId: task, taskExecutionId: ''}
    if (!this.mayAsk(app, {caller: parentApp, kind: 'workflows', operation: 'schedule', name}))
      return isDetached ? undefined : this.#fail(key, {childFailed: {...failed, failureDetails: NOT_ALLOWED}})
    const existing = this.#store.find(app, id)
    if (existing === undefined || isTerminal(existing.status)) {
      this.#noteApp(parentApp, app, `workflow '${name}'`)
      const received = child.scope === undefined ? undefined : propagatedHistory(live, child.scope, task)
      const shared = {id, name, input, startAt: undefined, trace, received}
      this.#create(app, isDetached ? shared : {...shared, parent})
      return
    }
    if (isDetached) return this.#warn(app, `workflow '${id}' is not started once more: an active one has this ID`)
    const failureDetails = encode(FAILURE_DETAILS, {
      errorType: 'WorkflowInstanceAlreadyExists',
      errorMessage: activeInstance(id).message
    })
    this.#fail(key, {childFailed: {...failed, failureDetails}})
  }

  #fail(key: number, failure: Event): void {
    this.#turns.post(key, {kind: 'result', name: '', event: eventOf(this.#clock.date(), failure)})
  }

  /** Its open activities and timers are not wanted any more. */
  drop({key}: Instance): void {
    for (const item of this.#activities.drop(key)) {
      const workers = this.#workersOf(item.activity.app)
      // one that a worker has is answered once more
      if (!workers.isInHand(item)) {
        workers.remove(item)
        this.#activities.remove(item)
      }
    }
    this.endTimers(key)
  }

  #timerFired({owner, data}: WakeUp): void {
    const {timerFired, timestamp: due} = readEvent(data)
    if (timerFired === undefined) return
    const now = this.#clock.date()
    const isSkipped = due !== undefined && msOf(due) > now
    this.#turns.post(owner, {
      kind: 'timer',
      name: '',
      event: eventOf(now, {timerFired: {...timerFired, isSkipped}})
    })
  }
}

const timerIdOf = (data: Uint8Array): number => readEvent(data).timerFired?.timerId ?? -1
