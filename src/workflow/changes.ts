import {failureOf} from './failure.ts'
import type {Instance} from './instance.ts'
import type {Event} from './messages.ts'
import {COMPLETED, TERMINATED} from './status.ts'
import {timelineOf, type Step} from './timeline.ts'

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

/** What the latest turn of an instance has changed. `history`: all its events, with those of this turn. */
export function changesOf(
  {app, turns}: Instance,
  latest: readonly Event[],
  history: readonly Event[]
): readonly WorkflowChange[] {
  // it continues as new, with an empty history
  if (turns === 0) return [plain('continued')]
  const steps = timelineOf(history, app)
  const stepOf = (what: WorkflowChange['what'], id: number, failure = ''): WorkflowChange => {
    const step = steps.find(each => each.id === id)
    return {what, kind: step?.kind ?? '', step: step?.name ?? '', failure}
  }
  return latest.flatMap(event => changeOf(event, stepOf) ?? [])
}

function changeOf(
  event: Event,
  stepOf: (what: WorkflowChange['what'], id: number, failure?: string) => WorkflowChange
): WorkflowChange | undefined {
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
