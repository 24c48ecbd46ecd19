import {DecodeError} from '../../proxy/net/grpc/message-codec.ts'
import type {InboxEntry} from './instance.ts'
import {
  checkFailure,
  eventOf,
  eventOfTimer,
  msOf,
  ownEvent,
  readEvent,
  timeOf,
  type Action,
  type Event,
  type Time,
  type TurnAnswer,
  NO_BYTES
} from './messages.ts'
import {CONTINUED_AS_NEW, isTerminal, RUNNING, SUSPENDED, TERMINATED} from './status.ts'

/** The input of a turn, as its worker received it. */
export interface TurnStart {
  readonly app: string
  readonly id: string
  readonly trace: string | undefined
  readonly isSuspended: boolean
  /** When the turn began, by the clock of the workflow's code, in ms since 1970. */
  readonly startedAt: number
  /** When the turn began, by `performance.now()`. */
  readonly sentAt: number
  /** How far `startedAt` is ahead of the machine's clock, in ms: skipped timers advance the code's clock. */
  readonly aheadMs: number
  readonly inbox: readonly InboxEntry[]
}

/** An activity for a worker of `app`. */
export interface NewActivity {
  readonly task: number
  readonly app: string
  readonly scheduled: NonNullable<Action['scheduleTask']>
}

export interface NewTimer {
  readonly id: number
  readonly fireAt: Time
  /** Event that ends the timer; '': none. */
  readonly event: string
}

export interface NewChild {
  readonly task: number
  readonly app: string
  readonly id: string
  readonly name: string
  readonly input: string | undefined
  /** HistoryPropagationScope: part of its parent's history that the child receives. */
  readonly scope: number | undefined
  readonly isDetached: boolean
  /** Planned start of a detached child, in ms since 1970; undefined: at once. */
  readonly startAt?: number | undefined
  /** Traceparent of the instance; omitted: that of its creator. */
  readonly trace?: string | undefined
}

/** An event or a termination that an instance sends to another one. */
export interface InstanceMessage {
  readonly app: string
  readonly id: string
  readonly kind: 'event' | 'terminate'
  readonly name: string
  readonly event: Uint8Array
}

/** An event that continue-as-new passes on to the next round. */
export type Carried = Pick<InboxEntry, 'name' | 'event'>

/** The result of a turn. `end`: the instance has ended. `again`: it continues as new. */
export interface Turn {
  /** Events to add to the history. For a continue-as-new, the last events of the history that is dropped. */
  readonly events: readonly Uint8Array[]
  readonly status: number
  readonly customStatus: string | undefined
  readonly version: string | undefined
  readonly end: {readonly result: string | undefined; readonly failure: Uint8Array | undefined} | undefined
  readonly again: {readonly input: string | undefined; readonly carried: readonly Carried[]} | undefined
  readonly activities: readonly NewActivity[]
  readonly timers: readonly NewTimer[]
  readonly children: readonly NewChild[]
  readonly messages: readonly InstanceMessage[]
  readonly endsChildren: boolean
}

/**
 * Computes the result of a turn from its input and the worker's answer: the new events of the history, and the requested tasks. A pure
 * function (durabletask-go: backend/runtimestate/applier.go). Throws a DecodeError.
 */
export function applyAnswer(start: TurnStart, answer: TurnAnswer, now: number): Turn {
  const {inbox} = start
  const {version} = answer
  const begun = [eventOf(start.startedAt, {workflowStarted: {version}}), ...inbox.map(({event}) => event)]
  const terminated = inbox.find(({kind}) => kind === 'terminate')
  const base: Omit<Turn, 'status'> = {
    customStatus: answer.customStatus?.value,
    version: version?.name,
    ...noRequests(),
    events: begun,
    end: undefined,
    again: undefined,
    endsChildren: terminated?.name === 'recursive'
  }
  // only the first completion counts; a continue-as-new discards all other actions, and a termination discards a continue-as-new
  const complete = answer.actions.find(
    ({complete: end}) => end !== undefined && (terminated === undefined || end.status !== CONTINUED_AS_NEW)
  )?.complete
  if (complete !== undefined) checkFailure(complete.failureDetails)
  if (complete?.status === CONTINUED_AS_NEW) {
    const again = {input: complete.result?.value, carried: complete.carryoverEvents.map(carriedOf)}
    return {...base, status: RUNNING, again}
  }
  const gathered = noRequests()
  const actions = answer.actions.filter(action => action.complete === undefined || action.complete === complete)
  const events = [...begun, ...actions.flatMap(action => applyAction(start, action, gathered, now))]
  if (complete !== undefined && isTerminal(complete.status)) {
    const {result, failureDetails} = complete
    const end = {result: result?.value, failure: failureDetails.length > 0 ? failureDetails : undefined}
    return {...base, ...gathered, events, status: complete.status, end}
  }
  if (terminated === undefined)
    return {...base, ...gathered, events, status: isSuspendedAfter(start) ? SUSPENDED : RUNNING}
  // the worker has ignored the termination
  const result = readEvent(terminated.event).executionTerminated?.input
  const executionCompleted = {status: TERMINATED, result, failureDetails: NO_BYTES}
  const ended = ownEvent(now, -1, start.app, {executionCompleted})
  const end = {result: result?.value, failure: undefined}
  return {...base, events: [...events, ended], status: TERMINATED, end}
}

const carriedOf = (event: Uint8Array): Carried => ({name: readEvent(event).eventRaised?.name ?? '', event})

/** The requests of a turn's actions. */
type Requests = {readonly [K in 'activities' | 'timers' | 'children' | 'messages']: Turn[K][number][]}

const noRequests = (): Requests => ({activities: [], timers: [], children: [], messages: []})

/** Whether an instance is suspended after the entries of its inbox. */
export function isSuspendedAfter({isSuspended, inbox}: Pick<TurnStart, 'isSuspended' | 'inbox'>): boolean {
  const last = inbox.findLast(({kind}) => kind === 'suspend' || kind === 'resume')
  return last === undefined ? isSuspended : last.kind === 'suspend'
}

/** Returns the events of one action, and collects its requests. */
function applyAction(start: TurnStart, action: Partial<Action>, gathered: Requests, now: number): Uint8Array[] {
  const {
    id: task = 0,
    router,
    scheduleTask,
    createTimer,
    createChild,
    createDetached,
    sendEvent,
    complete,
    terminate
  } = action
  const {app: own, trace} = start
  const parentTraceContext = trace === undefined ? undefined : {traceParent: trace}
  const app = router?.targetAppID || own
  const event = (of: Event): Uint8Array[] => [ownEvent(now, task, own, {...of, ...(router && {router})})]
  if (scheduleTask !== undefined) {
    gathered.activities.push({task, app, scheduled: scheduleTask})
    return event({taskScheduled: {...scheduleTask, parentTraceContext, rerunOf: undefined}})
  }
  if (createTimer !== undefined) {
    const {fireAt} = createTimer
    gathered.timers.push({id: task, fireAt: fireAt ?? timeOf(now), event: eventOfTimer(createTimer)})
    return event({timerCreated: {...createTimer, rerunOf: undefined}})
  }
  if (createChild !== undefined) {
    const {name, input, scope} = createChild
    const id = createChild.instanceId || `${start.id}:${task.toString(16).padStart(4, '0')}`
    gathered.children.push({task, app, id, name, input: input?.value, scope, isDetached: false})
    return event({childCreated: {...createChild, instanceId: id, parentTraceContext, rerunOf: undefined}})
  }
  if (createDetached !== undefined) {
    const {instanceId: id, name, input, scheduledStart, parentTraceContext: asked} = createDetached
    const [startAt, of] = [scheduledStart && msOf(scheduledStart), asked?.traceParent]
    const shared = {task, app, id, name, input: input?.value, scope: undefined}
    gathered.children.push({...shared, isDetached: true, startAt, trace: of})
    return event({detachedCreated: {instanceId: id}})
  }
  if (sendEvent !== undefined) {
    const {name, data: input} = sendEvent
    const instanceId = sendEvent.instance?.instanceId ?? ''
    const raised = eventOf(now, {eventRaised: {name, input}})
    gathered.messages.push({app, id: instanceId, kind: 'event', name, event: raised})
    return event({eventSent: {instanceId, name, input}})
  }
  if (terminate !== undefined) {
    const {instanceId, reason: input, recurse} = terminate
    const [name, ended] = [recurse ? 'recursive' : '', eventOf(now, {executionTerminated: {input, recurse}})]
    gathered.messages.push({app, id: instanceId, kind: 'terminate', name, event: ended})
    return []
  }
  if (action.versionNotAvailable !== undefined) return []
  // to ignore an unknown action would leave the instance waiting forever
  if (complete === undefined)
    throw new DecodeError(`workflow '${start.id}': its worker wants an action ${task} of an unknown kind`)
  const {status, result, failureDetails} = complete
  return event({executionCompleted: {status, result, failureDetails}})
}
