import {failureOf} from './failure.ts'
import type {Instance} from './instance.ts'
import {eventOfTimer, eventsOf, type Event} from './messages.ts'
import {COMPLETED, STALLED, TERMINATED} from './status.ts'
import type {Step} from './timeline.ts'

export interface WorkflowChange {
  readonly what:
    | 'started'
    | 'begun'
    | 'done'
    | 'failed-step'
    | 'raised'
    | 'suspended'
    | 'resumed'
    | 'continued'
    | 'completed'
    | 'failed'
    | 'terminated'
  /** Kind of the step that began, ended or failed; '': the change is not about a step. */
  readonly kind: Step['kind'] | ''
  readonly step: string
  readonly failure: string
}

const plain = (what: WorkflowChange['what'], failure = ''): WorkflowChange => ({what, kind: '', step: '', failure})

/** Lists the changes of an instance's latest turn. `history`: the joined events of each turn. */
export function changesOf({turns, status}: Instance, history: readonly Uint8Array[]): readonly WorkflowChange[] {
  // a stall follows a turn that was reported already
  if (status === STALLED) return []
  // continue-as-new leaves an empty history
  if (turns === 0) return [plain('continued')]
  const stepOf: StepOf = (what, id, failure = '') => {
    const turn = history.findLast(each => stepsOf(each).has(id))
    const step = turn === undefined ? NOTHING : stepsOf(turn).get(id)
    return step && {what, failure, ...step}
  }
  return eventsOf(history.slice(-1)).flatMap(event => changeOf(event, stepOf) ?? [])
}

type StepOf = (what: WorkflowChange['what'], id: number, failure?: string) => WorkflowChange | undefined

/** Step that began; undefined: the timer of a retry, which is not shown as a step. */
type Begun = Pick<WorkflowChange, 'kind' | 'step'> | undefined

const NOTHING: Begun = {kind: '', step: ''}

/** Steps that a turn has begun, by its joined events: decodes a turn with thousands of steps once, not for each result. */
const read = new WeakMap<Uint8Array, ReadonlyMap<number, Begun>>()

function stepsOf(turn: Uint8Array): ReadonlyMap<number, Begun> {
  const steps = read.get(turn) ?? new Map(eventsOf([turn]).map(event => [event.eventId, named(event)]))
  read.set(turn, steps)
  return steps
}

function named({taskScheduled, childCreated, timerCreated}: Event): Begun {
  if (taskScheduled !== undefined) return {kind: 'activity', step: taskScheduled.name}
  if (childCreated !== undefined) return {kind: 'child', step: childCreated.name}
  if (timerCreated === undefined) return NOTHING
  if (timerCreated.activityRetry !== undefined) return undefined
  const event = eventOfTimer(timerCreated)
  return event === '' ? {kind: 'timer', step: timerCreated.name} : {kind: 'event', step: event}
}

function changeOf(event: Event, stepOf: StepOf): WorkflowChange | undefined {
  const {eventId = -1, executionStarted, executionSuspended, executionResumed, executionCompleted, eventRaised} = event
  if (executionStarted !== undefined) return plain('started')
  if ((event.taskScheduled ?? event.childCreated ?? event.timerCreated) !== undefined) return stepOf('begun', eventId)
  const done = event.taskCompleted ?? event.childCompleted
  if (done !== undefined) return stepOf('done', done.taskScheduledId)
  const failed = event.taskFailed ?? event.childFailed
  if (failed !== undefined)
    return stepOf('failed-step', failed.taskScheduledId, failureOf(failed.failureDetails).message)
  if (event.timerFired !== undefined) return stepOf('done', event.timerFired.timerId)
  if (eventRaised !== undefined) return {what: 'raised', kind: 'event', step: eventRaised.name, failure: ''}
  if (executionSuspended !== undefined) return plain('suspended')
  if (executionResumed !== undefined) return plain('resumed')
  if (executionCompleted === undefined) return undefined
  const {status, failureDetails} = executionCompleted
  const what = status === COMPLETED ? 'completed' : status === TERMINATED ? 'terminated' : 'failed'
  return plain(what, failureOf(failureDetails).message)
}
