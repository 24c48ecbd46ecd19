import {failureOf} from './failure.ts'
import type {Instance} from './instance.ts'
import {eventOfTimer, eventsOf, type Event} from './messages.ts'
import {COMPLETED, STALLED, TERMINATED} from './status.ts'
import type {Step} from './timeline.ts'

/** Something that has happened to an instance. */
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
  /** Of a step that was begun, is done or has failed: what it is. */
  readonly kind: Step['kind'] | ''
  readonly step: string
  readonly failure: string
}

const plain = (what: WorkflowChange['what'], failure = ''): WorkflowChange => ({what, kind: '', step: '', failure})

/** What the latest turn of an instance has changed. `history`: of each turn the events, joined; of earlier ones few are read. */
export function changesOf({turns, status}: Instance, history: readonly Uint8Array[]): readonly WorkflowChange[] {
  // nothing has happened to it: its latest turn is reported already
  if (status === STALLED) return []
  // it continues as new, with an empty history
  if (turns === 0) return [plain('continued')]
  const latest = eventsOf(history.slice(-1))
  const stepOf: StepOf = (what, id, failure = '') => {
    const event = latest.find(each => each.eventId === id) ?? earlier(history, id)
    return event?.timerCreated?.activityRetry === undefined ? {what, failure, ...named(event)} : undefined
  }
  return latest.flatMap(event => changeOf(event, stepOf) ?? [])
}

type StepOf = (what: WorkflowChange['what'], id: number, failure?: string) => WorkflowChange | undefined

/** The event of an earlier turn, which most often is the one before. */
function earlier(history: readonly Uint8Array[], id: number): Event | undefined {
  for (let turn = history.length - 2; turn >= 0; turn--) {
    const found = eventsOf(history.slice(turn, turn + 1)).find(({eventId}) => eventId === id)
    if (found !== undefined) return found
  }
  return undefined
}

function named({taskScheduled, childCreated, timerCreated}: Event = {}): Pick<WorkflowChange, 'kind' | 'step'> {
  if (taskScheduled !== undefined) return {kind: 'activity', step: taskScheduled.name}
  if (childCreated !== undefined) return {kind: 'child', step: childCreated.name}
  if (timerCreated === undefined) return {kind: '', step: ''}
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
