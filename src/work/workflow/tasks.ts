import {randomUUID} from 'node:crypto'
import {encode} from '../../proxy/net/grpc/message-codec.ts'
import type {WakeUp} from '../wake-ups.ts'
import type {Engine} from './engine.ts'
import {dropOpenTasks, fits, post, postResult, RETENTION} from './inbox.ts'
import type {Creation, InboxEntry, Instance, Parent} from './instance.ts'
import {ACTIVITY_REQUEST, EVENT, eventOf, FAILURE_DETAILS, msOf, NEVER, readEvent, timeOf} from './messages.ts'
import {propagatedHistory, startEventOf} from './start-event.ts'
import {isTerminal} from './status.ts'
import type {NewActivity, NewChild, NewTimer} from './turn.ts'
import {countSize} from './work-counts.ts'
import type {LiveInstance} from './work-items.ts'
import {activityTrace, beginSpan} from './work-spans.ts'
import {activeInstance, DENIED, notOver, WorkflowError} from './workflow-error.ts'
import {keptStart, START, TIMER, type WorkflowStore} from './workflow-store.ts'

/* Begins and removes instances, and their activities, timers and children. */

/** Failure of a task that the policies of another app deny (Dapr: pkg/actors/targets/workflow/orchestrator/activity.go). */
const NOT_ALLOWED = encode(FAILURE_DETAILS, {errorType: 'WorkflowAccessPolicyDenied', errorMessage: DENIED})

const isSame = (one: Parent, other: Parent): boolean =>
  one.app === other.app && one.id === other.id && one.execution === other.execution && one.task === other.task

/** Creates an instance, possibly in place of an ended one with the same id. */
export function create(
  engine: Engine,
  app: string,
  {id, name, input, startAt, parent, trace: askedBy, received, caller = parent?.app}: Creation
): Instance {
  const {store, clock} = engine
  const existing = store.find(app, id)
  if (existing !== undefined) remove(engine, existing.key)
  const now = clock.date()
  const trace = beginTrace(engine, app, askedBy)
  const fresh = {app, id, execution: randomUUID(), name, created: now, input, parent, trace, received}
  const {instance} = engine.live.begin(store.insert(fresh))
  const event = startEventOf(store, now, fresh, {startAt, askedBy, caller})
  if (startAt === undefined || startAt <= now) post(engine, instance.key, {kind: 'start', name: '', event})
  else startLater(engine, instance, startAt, event)
  return instance
}

/** Begins the span of an instance. `askedBy`: traceparent of its creator; '': not traced; undefined: a new trace begins. */
export const beginTrace = (engine: Engine, app: string, askedBy: string | undefined): string | undefined =>
  (askedBy === '' ? '' : beginSpan(engine, app, askedBy)) || undefined

export const startLater = ({wakeUps}: Engine, {key}: Instance, due: number, event: Uint8Array): void =>
  wakeUps.add(START, {due, owner: key, ...keptStart(event)})

/** Starts an instance at its planned time. */
export function startNow(engine: Engine, {owner, name, data}: WakeUp): void {
  post(engine, owner, {kind: 'start', name: '', event: engine.store.wholeStart(owner, name, data)})
}

export function remove(engine: Engine, key: number): void {
  const live = engine.live.at(key)
  if (live === undefined) return
  engine.dropTurn(live)
  dropOpenTasks(engine, live.instance)
  engine.held.delete(key)
  for (const kind of [START, RETENTION]) engine.wakeUps.removeOf(kind, key)
  engine.store.remove(key)
  engine.live.forget(live)
  markGone(engine, key)
}

/** Reports an instance as removed to waiting callers after the commit; as ended, if it has ended in the same transaction. */
export function markGone({changed}: Engine, key: number): void {
  const known = changed.get(key)
  if (known === undefined || !isTerminal(known.status)) changed.set(key, undefined)
}

/** Removes an instance at the end of its retention. */
export function expire(engine: Engine, key: number): void {
  const live = engine.live.at(key)
  if (live !== undefined && isTerminal(live.instance.status)) remove(engine, key)
}

export function schedule(engine: Engine, live: LiveInstance, {task, app, scheduled}: NewActivity): void {
  const {instance} = live
  const {app: own, key, id, execution} = instance
  const {name, version, input, taskExecutionId, scope} = scheduled
  const of = {instance: key, task, taskExecution: taskExecutionId}
  if (!engine.mayAsk(app, {caller: own, kind: 'activities', operation: 'schedule', name}))
    return postResult(engine, of, {failure: NOT_ALLOWED})
  const traceParent = activityTrace(instance, task)
  const request = encode(ACTIVITY_REQUEST, {
    name,
    version,
    input,
    workflowInstance: {instanceId: id, executionId: {value: execution}},
    taskId: task,
    parentTraceContext: traceParent === '' ? undefined : {traceParent},
    taskExecutionId,
    propagatedHistory: propagatedHistory(live, scope, task)
  })
  const activity = {...of, app, request}
  engine.store.addActivity(activity)
  if (fits(engine, instance, app, request.length, true)) engine.add(activity, instance)
  else countSize(engine, app, request.length, instance.name, name)
}

/** Sets a timer. `aheadMs`: how far skipped timers have advanced the clock of the workflow's code. */
export function setTimer({wakeUps}: Engine, key: number, {id: timerId, fireAt, event}: NewTimer, aheadMs = 0): void {
  const due = msOf(fireAt) - aheadMs
  const data = encode(EVENT, {timestamp: timeOf(due), timerFired: {fireAt, timerId, isSkipped: false}})
  wakeUps.add(TIMER, {due, owner: key, name: event.toLowerCase(), data})
}

/** Returns the times of an instance's timers, by the ids of their events. */
export const timersOf = ({wakeUps}: Engine, key: number): ReadonlyMap<number, number> =>
  new Map(wakeUps.of(TIMER, key).map(({due, data}) => [timerIdOf(data), due]))

/** Fires the timer with the wanted id now; undefined: the planned start, or else the next timer. Returns false if there is none. */
export function fireNextTimer({wakeUps}: Engine, key: number, wanted: number | undefined): boolean {
  const [start] = wanted === undefined ? wakeUps.of(START, key) : []
  const timers = wakeUps.of(TIMER, key).toSorted((a, b) => a.due - b.due || a.id - b.id)
  const next = start ?? timers.find(({due, data}) => (wanted === undefined ? due < NEVER : timerIdOf(data) === wanted))
  if (next !== undefined) wakeUps.fireNow(next)
  return next !== undefined
}

/**
 * Returns the timers that these entries end: each event ends the oldest timer with its name, since SDKs pass the event to the oldest wait
 * for it (Dapr: pkg/actors/targets/workflow/orchestrator/timer.go).
 */
function timersEndedBy(inbox: readonly InboxEntry[], timers: readonly WakeUp[]): readonly WakeUp[] {
  const open = new Set(timers.toSorted((a, b) => timerIdOf(a.data) - timerIdOf(b.data)))
  for (const {name} of inbox.filter(each => each.kind === 'event' && each.name !== '')) {
    const ended = [...open].find(timer => timer.name === name.toLowerCase())
    if (ended !== undefined) open.delete(ended)
  }
  return timers.filter(timer => !open.has(timer))
}

/** Removes the timers of waits for events that a turn has processed. */
export function endTimers({wakeUps}: Engine, key: number, inbox: readonly InboxEntry[]): void {
  if (!inbox.some(({kind}) => kind === 'event')) return
  for (const {id} of timersEndedBy(inbox, wakeUps.of(TIMER, key))) wakeUps.remove(id)
}

/** Fires a timer, unless an event in the inbox ends its wait: Go's SDK 1.15 would then pass no further event of that name to the code. */
export function fireTimer(engine: Engine, wakeUp: WakeUp): void {
  const {owner, name, data} = wakeUp
  const {timerFired, timestamp: due} = readEvent(data)
  if (timerFired === undefined) return
  const {inbox = []} = (name !== '' && engine.live.at(owner)) || {}
  const isEnded = timersEndedBy(inbox, [...engine.wakeUps.of(TIMER, owner), wakeUp]).includes(wakeUp)
  if (isEnded) return engine.wakeUps.add(TIMER, {...wakeUp, due: NEVER})
  const now = engine.clock.date()
  const isSkipped = due !== undefined && msOf(due) > now
  post(engine, owner, {kind: 'timer', name, event: eventOf(now, {timerFired: {...timerFired, isSkipped}})})
}

/** Creates a child. Fails the task if another active instance has the child's id. `aheadMs`: see `setTimer`. */
export function createChild(engine: Engine, live: LiveInstance, child: NewChild, aheadMs: number): void {
  const {instance} = live
  const {app, id, name, input, isDetached, scope, startAt, trace = instance.trace ?? '', task} = child
  const fail = (failure: Uint8Array): void => {
    if (!isDetached) postResult(engine, {instance: instance.key, task, taskExecution: '', isChild: true}, {failure})
  }
  if (!engine.mayAsk(app, {caller: instance.app, kind: 'workflows', operation: 'schedule', name}))
    return fail(NOT_ALLOWED)
  const parent = {app: instance.app, id: instance.id, execution: instance.execution, task}
  const existing = engine.store.find(app, id)
  if (existing?.parent !== undefined && isSame(existing.parent, parent)) return
  const refusal = existing === undefined ? undefined : whyNotReplaced(engine.store, existing)
  if (refusal !== undefined) {
    if (isDetached) engine.options.warn(app, `workflow '${id}' is not started once more: an active one has this ID`)
    const {message: errorMessage} = refusal
    return fail(encode(FAILURE_DETAILS, {errorType: 'WorkflowInstanceAlreadyExists', errorMessage}))
  }
  engine.noteMissing(app, instance.app, `workflow '${name}'`)
  const received = scope === undefined ? undefined : propagatedHistory(live, scope, task)
  const start = startAt === undefined ? undefined : startAt - aheadMs
  create(engine, app, {id, name, input, startAt: start, trace, received, ...(!isDetached && {parent})})
}

/**
 * Explains why a new instance cannot replace this one with the same id; undefined: it can. This one and its descendants must have ended
 * (Dapr: pkg/actors/targets/workflow/orchestrator/terminalcheck.go).
 */
export function whyNotReplaced(store: WorkflowStore, instance: Instance): WorkflowError | undefined {
  if (!isTerminal(instance.status)) return activeInstance(instance.id)
  const family = store.family(instance)
  const open = family.find(({key, status}) => key !== instance.key && !isTerminal(status))?.id
  if (open === undefined) return undefined
  const why = `child workflow '${open}': ${notOver().message}`
  return new WorkflowError('active', `cannot recreate workflow with ID '${instance.id}': ${why}`)
}

const timerIdOf = (data: Uint8Array): number => readEvent(data).timerFired?.timerId ?? -1
