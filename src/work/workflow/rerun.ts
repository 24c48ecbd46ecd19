import {encode} from '../../proxy/net/grpc/message-codec.ts'
import {EVENT, eventOfTimer, readEvent, splitEvents, timeOf} from './messages.ts'
import type {Turn} from './turn.ts'
import {WorkflowError} from './workflow-error.ts'

/** A request to run an ended instance again, as a new one, from one of its steps. */
export interface RerunRequest {
  readonly id: string
  /** Id of the event that scheduled the activity, timer or child; undefined: the first such event. */
  readonly eventId: number | undefined
  readonly newId: string
  /** Another input for that step; undefined: the same input. */
  readonly input: {readonly text: string | undefined} | undefined
  /** Id of the new child; undefined: generated, or the step is not a child. */
  readonly newChildId: string | undefined
}

/** The history of the new instance, and the steps that it repeats. */
export interface Rerun extends Pick<Turn, 'activities' | 'timers' | 'children'> {
  readonly turns: readonly (readonly Uint8Array[])[]
}

/** A decoded event, with its bytes; `bytes`: undefined: the rerun has changed it. */
type Known = ReturnType<typeof readEvent> & {readonly bytes: Uint8Array | undefined}

/**
 * Builds the start of a rerun: the history up to the turn that scheduled the event. The new instance repeats steps without a result, with
 * new ids of children. `history`: the joined events of each turn. `at`: time of the repeated steps, in ms since 1970. Throws a
 * WorkflowError (Dapr: pkg/actors/targets/workflow/orchestrator/fork).
 */
export function rerunOf(app: string, history: readonly Uint8Array[], request: RerunRequest, at: number): Rerun {
  const turns = history.map(joined => splitEvents(joined).map(bytes => ({...readEvent(bytes), bytes})))
  const isMeant = (event: Known): boolean =>
    request.eventId === undefined ? isStep(event) : event.eventId === request.eventId
  const last = turns.findIndex(events => events.some(isMeant))
  const target = turns[last]?.find(isMeant)
  if (target === undefined)
    throw new WorkflowError(
      'not found',
      request.eventId === undefined
        ? `'${request.id}' has no activity, timer or child to run again from`
        : `does not have history event with ID '${request.eventId}'`
    )
  checkTarget(target, request)
  const kept = turns.slice(0, last + 1).map(events => events.filter(event => event.executionCompleted === undefined))
  const open = openTasks(kept.flat())
  const renewed = kept.map(events => events.map(event => (open.has(event) ? renew(event, target, request) : event)))
  const again = renewed.flat().filter(({bytes}) => bytes === undefined)
  return {
    turns: renewed.map(events =>
      events.map(({bytes, ...event}) => bytes ?? encode(EVENT, {...event, timestamp: timeOf(at)}))
    ),
    activities: again.flatMap(({eventId: task, taskScheduled, router}) =>
      taskScheduled === undefined ? [] : [{task, app: router?.targetAppID || app, scheduled: taskScheduled}]
    ),
    timers: again.flatMap(({eventId: id, timerCreated}) =>
      timerCreated?.fireAt === undefined ? [] : [{id, fireAt: timerCreated.fireAt, event: eventOfTimer(timerCreated)}]
    ),
    children: again.flatMap(({eventId: task, childCreated, router}) => {
      if (childCreated === undefined) return []
      const {instanceId: id, name, input, scope} = childCreated
      return [{task, app: router?.targetAppID || app, id, name, input: input?.value, scope, isDetached: false}]
    })
  }
}

function checkTarget(target: Known, {input, newChildId}: RerunRequest): void {
  const id = target.eventId.toString()
  const kind = (Object.keys(EVENT) as (keyof typeof EVENT)[]).find(
    name => !['eventId', 'timestamp', 'router'].includes(name) && target[name] !== undefined
  )
  const what = kind === 'timerCreated' ? 'timer' : kind === 'taskScheduled' ? 'activity' : ''
  if (what === '' && kind !== 'childCreated')
    throw new WorkflowError(
      'not found',
      `target event '${String(kind)}' with ID '${id}' is not an event that can be rerun`
    )
  if (what === 'timer' && input !== undefined)
    throw new WorkflowError('invalid', `cannot write input to timer event '${id}'`)
  if (what !== '' && newChildId !== undefined)
    throw new WorkflowError('invalid', `cannot set new child workflow instance ID on ${what} event '${id}'`)
}

/** Whether an event has scheduled a step that a result ends. */
const isStep = ({taskScheduled, timerCreated, childCreated}: Known): boolean =>
  (taskScheduled ?? timerCreated ?? childCreated) !== undefined

/** Returns the events that scheduled a step without a result yet. */
function openTasks(events: readonly Known[]): ReadonlySet<Known> {
  const open = new Map<number, Known>()
  for (const event of events) {
    const {taskCompleted, taskFailed, childCompleted, childFailed, timerFired, eventRaised} = event
    if (isStep(event)) open.set(event.eventId, event)
    const result = taskCompleted ?? taskFailed ?? childCompleted ?? childFailed
    open.delete(result?.taskScheduledId ?? timerFired?.timerId ?? -1)
    const name = eventRaised?.name.toLowerCase() ?? ''
    for (const [id, {timerCreated: timer}] of name === '' ? [] : open) {
      if (timer === undefined || eventOfTimer(timer).toLowerCase() !== name) continue
      open.delete(id)
      break
    }
  }
  return new Set(open.values())
}

function renew(event: Known, target: Known, {id, newId, input, newChildId}: RerunRequest): Known {
  const isTarget = event === target
  const mark = isTarget ? {rerunOf: {instanceId: id}} : {}
  const fresh =
    isTarget && input !== undefined ? {input: input.text === undefined ? undefined : {value: input.text}} : {}
  const {taskScheduled, timerCreated, childCreated} = event
  if (taskScheduled !== undefined)
    return {...event, bytes: undefined, taskScheduled: {...taskScheduled, ...mark, ...fresh}}
  if (timerCreated !== undefined) return {...event, bytes: undefined, timerCreated: {...timerCreated, ...mark}}
  if (childCreated === undefined) return event
  const instanceId = (isTarget ? newChildId : undefined) ?? `${newId}:${event.eventId.toString(16).padStart(4, '0')}`
  return {...event, bytes: undefined, childCreated: {...childCreated, ...mark, ...fresh, instanceId}}
}
